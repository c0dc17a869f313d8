import Consensus
import Jobboard
import WireFormat

/// A client of the simulated world: one request at a time, sent again under the same number until it is answered.
struct SimulatedClient {
    enum Goal {
        case openSession
        case post(JobID)
        case claimNext
        case extend(JobID, fence: UInt64)
        case abandon(JobID, fence: UInt64)
        case consume(JobID, fence: UInt64)
        case list
    }

    let name: String
    var target: Int
    var session: UInt64 = 0
    var sequence: UInt64 = 0
    var goal: Goal?
    /// The number of the last try; answers to earlier ones are told apart by it.
    var number: UInt64 = 0
    var sentAt: UInt64 = 0
    /// Jobs that it was told it holds.
    var held: [(job: JobID, fence: UInt64)] = []
    var acknowledged = 0

    init(name: String, target: Int) {
        self.name = name
        self.target = target
    }

    /// Chooses what to do next.
    mutating func choose(_ random: inout SplitMix64) {
        if session == 0 {
            goal = .openSession
            return
        }
        sequence += 1
        let dice = random.below(100)
        if let place = held.indices.last, dice < 60 {
            let (job, fence) = held[place]
            if dice < 40 {
                goal = .consume(job, fence: fence)
                held.remove(at: place)
            } else if dice < 50 {
                goal = .extend(job, fence: fence)
            } else if dice < 57 {
                goal = .abandon(job, fence: fence)
                held.remove(at: place)
            } else {
                // It forgets about the job: the lease has to end.
                held.remove(at: place)
                goal = .list
            }
        } else if dice < 80 {
            goal = random.below(2) == 0 ? .post(JobID.random(using: &random)) : .claimNext
        } else {
            goal = dice < 90 ? .claimNext : .list
        }
    }

    /// The request for the present goal.
    func request() -> Request {
        let command: Command
        switch goal! {
        case .openSession:
            return .write(
                SessionCommand(session: 0, sequence: 0, acknowledgedBelow: 0, command: .openSession(ttlMilliseconds: 60_000)),
                waitMilliseconds: 0)
        case .list:
            return .read(.jobs(JobsQuery(board: "default", limit: 10)), fresh: true)
        case .post(let id):
            command = .post(board: "default", jobs: [NewJob(id: id, name: "work", details: Array(#"{"by":"\#(name)"}"#.utf8))])
        case .claimNext:
            command = .claimNext(ClaimNext(board: "default", who: name, count: 1 + UInt32(sequence % 3), leaseMilliseconds: 2000))
        case .extend(let job, let fence):
            command = .extend(Holder(job: job, who: name, fence: fence), leaseMilliseconds: 1000)
        case .abandon(let job, let fence):
            command = .abandon(Holder(job: job, who: name, fence: fence), delayMilliseconds: sequence % 2 * 500, failure: nil)
        case .consume(let job, let fence):
            command = .consume(Holder(job: job, who: name, fence: fence), result: nil, followUps: [])
        }
        let call = SessionCommand(session: session, sequence: sequence, acknowledgedBelow: sequence, command: command)
        return .write(call, waitMilliseconds: sequence % 4 == 0 ? 300 : 0)
    }
}
