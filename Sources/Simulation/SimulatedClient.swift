import Consensus
import Jobboard
import WireFormat

/// A client of the simulated world: one request at a time, sent again under the same number until it is answered.
struct SimulatedClient {
    enum Goal {
        case openSession
        case post(NewJob)
        case claim(JobID)
        case claimNext(count: UInt32, lease: UInt32, name: String?)
        case extend(JobID, fence: UInt64, lease: UInt32)
        case abandon(JobID, fence: UInt64, delay: UInt64?, failure: String?)
        case consume(JobID, fence: UInt64)
        case owner(JobID)
        case show(JobID)
        case list
    }

    static let board = "default"
    /// Names of jobs; few, so that claims of one meet.
    static let names = ["work", "work-1", "work-2"]
    let number: Int
    /// Changes when it dies: the next one does not know what this one held.
    private(set) var name: String
    private var deaths = 0
    var target: Int
    /// Its number in the cluster; 0 for none.
    var session: UInt64 = 0
    /// Its number on this client's connections.
    private(set) var localSession: UInt64 = 0
    private(set) var token = SessionToken(high: 0, low: 0)
    var sequence: UInt64 = 0
    var goal: Goal?
    /// What the history will say of the present goal.
    var operation: Operation?
    /// The number of the last try; answers to earlier ones are told apart by it.
    var request: UInt64 = 0
    var sentAt: UInt64 = 0
    /// The term that its target leads, as it said; 0 when it leads none.
    var term: UInt64 = 0
    /// The node that said so.
    var greetedBy: Int?
    var addressed = AddressedTerm()
    /// Copies of the present goal's request to which no answer came.
    var openCopies = 0
    /// Jobs that it was told it holds.
    var held: [Operation.Claim] = []
    /// Chooses the names that it claims by, in a run where it does; luck of its own.
    var nameLuck: SplitMix64?
    /// A claim that it gave up or lost, to be tried once more: it must be refused.
    var stale: Operation.Claim?

    init(number: Int, target: Int) {
        self.number = number
        self.target = target
        name = "client-\(number)"
    }

    /// Another takes its place, who knows nothing.
    mutating func die() {
        deaths += 1
        name = "client-\(number).\(deaths)"
        (session, sequence, goal, operation, held, stale) = (0, 0, nil, nil, [], nil)
        request += 1
    }

    /// Chooses what to do next; `known` are jobs that somebody tried to post.
    mutating func choose(_ random: inout SplitMix64, known: [JobID], sessionTTL: UInt32, at time: UInt64) {
        operation = nil
        if session == 0 { return openSession(&random) }
        let dice = random.below(100)
        if let place = held.indices.last, dice < 60 {
            holderGoal(held[place], place, dice, &random)
        } else if let stale, dice < 64 {
            goal =
                random.below(2) == 0
                ? .consume(stale.job, fence: stale.fence) : .extend(stale.job, fence: stale.fence, lease: 500)
            self.stale = nil
        } else if !known.isEmpty, dice >= 90 {
            let job = known[Int(random.below(UInt64(known.count)))]
            goal = [.owner(job), .show(job), .claim(job), .list][Int(random.below(4))]
        } else if dice < 80, random.below(2) == 0 {
            goal = .post(newJob(&random))
        } else {
            goal = .claimNext(count: 1 + UInt32(random.below(3)), lease: random.below(6) == 0 ? 8000 : 2000, name: nameToClaim())
        }
        begin(at: time)
    }

    private mutating func openSession(_ random: inout SplitMix64) {
        goal = .openSession
        localSession += 1
        token = SessionToken(high: random.next(), low: random.next())
    }

    /// What gives the session its number on a connection.
    func presentation(sessionTTL: UInt32, resumed: Bool) -> Request {
        .session(local: localSession, token, ttlMilliseconds: sessionTTL, resumed: resumed)
    }

    private mutating func holderGoal(_ claim: Operation.Claim, _ place: Int, _ dice: UInt64, _ random: inout SplitMix64) {
        if dice < 38 {
            goal = .consume(claim.job, fence: claim.fence)
            held.remove(at: place)
        } else if dice < 48 {
            goal = .extend(claim.job, fence: claim.fence, lease: 500 + UInt32(random.below(2000)))
        } else if dice < 56 {
            let failure = random.below(3) == 0 ? "it broke" : nil
            goal = .abandon(
                claim.job, fence: claim.fence, delay: random.below(2) == 0 ? random.below(500) : nil, failure: failure)
            held.remove(at: place)
            stale = claim
        } else {
            // It forgets about the job: the lease has to end.
            held.remove(at: place)
            stale = claim
            goal = .owner(claim.job)
        }
    }

    private mutating func nameToClaim() -> String? {
        guard let dice = nameLuck?.below(6), dice < Self.names.count else { return nil }
        return Self.names[Int(dice)]
    }

    private func newJob(_ random: inout SplitMix64) -> NewJob {
        var details = Array(#"{"by":"\#(name)"}"#.utf8)
        if random.below(6) == 0 {
            // Long and without a pattern, so that blocks span sectors and pages.
            let digits = (0..<20 + random.below(130)).map { _ in String(random.next(), radix: 16) }
            details = Array("\"\(digits.joined())\"".utf8)
        }
        let id = JobID.random(using: &random)
        let kind = nameLuck == nil ? 0 : Int(id.low % UInt64(Self.names.count))
        var job = NewJob(id: id, name: Self.names[kind], details: details)
        if random.below(8) == 0 { job.delayMilliseconds = random.below(800) }
        job.leaseMilliseconds = 3000
        job.maxFailures = 1 + UInt32(random.below(3))
        // Few leases end in a run.
        let lost = UInt32(id.low >> 16 % 8)
        if lost < 4 { job.maxLostClaims = lost }
        return job
    }

    /// After healing: everything that is left is worked off.
    mutating func chooseToDrain(_ random: inout SplitMix64, at time: UInt64) {
        operation = nil
        if session == 0 {
            openSession(&random)
        } else if let claim = held.popLast() {
            goal = .consume(claim.job, fence: claim.fence)
        } else {
            goal = .claimNext(count: 4, lease: 5000, name: nil)
        }
        if session != 0 { begin(at: time) }
    }

    /// What the history says of the goal, and its number in the session.
    private mutating func begin(at time: UInt64) {
        (addressed, openCopies) = (AddressedTerm(), 0)
        func operation(_ action: Operation.Action, _ job: JobID?) -> Operation {
            var operation = Operation(client: name, action, jobs: job.map { [$0] } ?? [], called: time)
            operation.who = name
            return operation
        }
        var new: Operation
        switch goal! {
        case .openSession, .list: return
        case .post(let job):
            new = operation(.post, job.id)
            new.board = Self.board
            new.isDelayed = job.delayMilliseconds != nil
        case .claim(let job): new = operation(.claim, job)
        case .claimNext(_, let lease, let wanted):
            new = operation(.claimNext, nil)
            new.board = Self.board
            new.leaseMilliseconds = UInt64(lease)
            new.isFiltered = wanted != nil
        case .extend(let job, let fence, let lease):
            new = operation(.extend, job)
            (new.fence, new.leaseMilliseconds) = (fence, UInt64(lease))
        case .abandon(let job, let fence, let delay, let failure):
            new = operation(.abandon, job)
            (new.fence, new.isDelayed) = (fence, delay != nil || failure != nil)
        case .consume(let job, let fence):
            new = operation(.consume, job)
            new.fence = fence
        case .owner(let job): new = operation(.owner, job)
        case .show(let job): new = operation(.show, job)
        }
        if new.action != .owner, new.action != .show { sequence += 1 }
        self.operation = new
    }

    /// The request for the present goal.
    func makeRequest(sessionTTL: UInt32) -> Request {
        let command: Command
        switch goal! {
        case .openSession: return presentation(sessionTTL: sessionTTL, resumed: false)
        case .list: return .read(.jobs(JobsQuery(board: Self.board, limit: 10)), fresh: true)
        case .owner(let job): return .read(.owner(job), fresh: true)
        case .show(let job): return .read(.job(job), fresh: true)
        case .post(let job): command = .post(board: Self.board, jobs: [job])
        case .claim(let job): command = .claim(job: job, who: name, leaseMilliseconds: nil)
        case .claimNext(let count, let lease, let wanted):
            command = .claimNext(
                ClaimNext(board: Self.board, who: name, count: count, leaseMilliseconds: lease, name: wanted))
        case .extend(let job, let fence, let lease):
            command = .extend(Holder(job: job, who: name, fence: fence), leaseMilliseconds: lease)
        case .abandon(let job, let fence, let delay, let failure):
            command = .abandon(Holder(job: job, who: name, fence: fence), delayMilliseconds: delay, failure: failure)
        case .consume(let job, let fence):
            command = .consume(Holder(job: job, who: name, fence: fence), result: nil, followUps: [])
        }
        let call = SessionCommand(session: localSession, sequence: sequence, acknowledgedBelow: sequence, command: command)
        return .write(
            call, Sending(term: term, isRepeated: openCopies > 0, waitMilliseconds: sequence % 4 == 0 ? 300 : 0))
    }

    /// A copy was answered, and has no effect. One that was shed goes again under a new number, unless others are on their way.
    mutating func takeBack(isShed: Bool) {
        openCopies -= 1
        guard openCopies == 0 else { return }
        addressed.noneIsLeft()
        if isShed, let operation, operation.action != .owner, operation.action != .show { sequence += 1 }
    }
}
