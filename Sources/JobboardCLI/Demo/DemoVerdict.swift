import Jobboard

/// Whether every job was consumed exactly once: by what the workers were told, and by what each node's log says.
///
/// Pure: it gets what was posted, what was recorded and what was logged, and says everything that does not fit.
struct DemoVerdict: Equatable {
    /// A consume that the cluster acknowledged to a worker.
    struct Record: Equatable, Sendable {
        var job: JobID
        var fence: UInt64
        var who: String
    }

    /// What one node's log says.
    struct NodeLog: Equatable, Sendable {
        var node: UInt64
        /// The CONSUMED events of the jobs' board, in order.
        var consumed: [Record] = []
        /// A number for each event of all boards, from what it says and from the number before.
        private(set) var fingerprints: [UInt64] = []

        init(node: UInt64) {
            self.node = node
        }

        /// Takes in the next event; `text` is all that it says.
        mutating func add(_ event: Event, text: [UInt8], board: String) {
            // FNV-1a (Fowler, Noll, Vo), going on from the event before: equal only if all so far was equal.
            var hash = fingerprints.last ?? 0xcbf2_9ce4_8422_2325
            for byte in text { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            fingerprints.append(hash)
            if event.kind == .consumed, event.board == board {
                consumed.append(Record(job: event.job, fence: event.fence ?? 0, who: event.owner ?? ""))
            }
        }
    }

    enum Finding: Equatable, CustomStringConvertible {
        case notRecorded(JobID)
        case recordedTwice(JobID, by: [String])
        case recordedUnknown(JobID, by: String)
        case notInLog(JobID, node: UInt64)
        case twiceInLog(JobID, times: Int, node: UInt64)
        case unknownInLog(JobID, node: UInt64)
        /// The worker was told of another claim than the log has.
        case otherClaim(JobID, recorded: UInt64, logged: UInt64, node: UInt64)
        /// From this event on, counted from 1, the two nodes' logs differ.
        case logsDiffer(node: UInt64, from: UInt64, atEvent: Int)
        case noLog

        var description: String {
            switch self {
            case .notRecorded(let job): "\(job) was posted, and no worker has consumed it"
            case .recordedTwice(let job, let who): "\(job) was consumed \(who.count) times, by \(who.joined(separator: ", "))"
            case .recordedUnknown(let job, let who): "\(job) was consumed by \(who) and never posted"
            case .notInLog(let job, let node): "\(job) is not consumed in the log of node \(node)"
            case .twiceInLog(let job, let times, let node): "\(job) is consumed \(times) times in the log of node \(node)"
            case .unknownInLog(let job, let node): "\(job) is consumed in the log of node \(node) and was never posted"
            case .otherClaim(let job, let recorded, let logged, let node):
                "\(job) was consumed under fence \(recorded), and under \(logged) in the log of node \(node)"
            case .logsDiffer(let node, let other, let event):
                "the logs of nodes \(other) and \(node) differ from event \(event) on"
            case .noLog: "there is no log to check"
            }
        }
    }

    let findings: [Finding]

    /// True when every job was consumed exactly once, and all logs say the same.
    var isGood: Bool { findings.isEmpty }

    init(posted: [JobID], records: [Record], logs: [NodeLog]) {
        let known = Set(posted)
        let fences = Dictionary(records.map { ($0.job, $0.fence) }) { first, _ in first }
        var findings = Self.check(records, posted, known)
        for log in logs { findings += Self.check(log, posted, known, fences) }
        if let first = logs.first {
            for other in logs.dropFirst() where other.fingerprints != first.fingerprints {
                let same = zip(first.fingerprints, other.fingerprints).prefix { $0 == $1 }
                findings.append(.logsDiffer(node: other.node, from: first.node, atEvent: Array(same).count + 1))
            }
        } else {
            findings.append(.noLog)
        }
        self.findings = findings
    }

    private static func check(_ records: [Record], _ posted: [JobID], _ known: Set<JobID>) -> [Finding] {
        let byJob = Dictionary(grouping: records, by: \.job)
        var findings: [Finding] = []
        for job in posted {
            switch byJob[job]?.count ?? 0 {
            case 0: findings.append(.notRecorded(job))
            case 1: break
            default: findings.append(.recordedTwice(job, by: byJob[job, default: []].map(\.who)))
            }
        }
        for record in records where !known.contains(record.job) {
            findings.append(.recordedUnknown(record.job, by: record.who))
        }
        return findings
    }

    private static func check(
        _ log: NodeLog, _ posted: [JobID], _ known: Set<JobID>, _ fences: [JobID: UInt64]
    ) -> [Finding] {
        let byJob = Dictionary(grouping: log.consumed, by: \.job)
        var findings: [Finding] = []
        for job in posted {
            let events = byJob[job, default: []]
            if events.isEmpty { findings.append(.notInLog(job, node: log.node)) }
            if events.count > 1 { findings.append(.twiceInLog(job, times: events.count, node: log.node)) }
            if events.count == 1, let recorded = fences[job], recorded != events[0].fence {
                findings.append(.otherClaim(job, recorded: recorded, logged: events[0].fence, node: log.node))
            }
        }
        for event in log.consumed where !known.contains(event.job) {
            findings.append(.unknownInLog(event.job, node: log.node))
        }
        return findings
    }
}
