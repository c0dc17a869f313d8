import Jobboard
import Simulation

/// Whether the log has everything that clients were told. A pure value.
///
/// The checker of histories asks whether the answers fit each other; this asks whether they fit the log.
struct ChaosVerdict {
    private(set) var findings: [String]
    /// Answers that were looked for in the log.
    private(set) var checked = 0

    private let facts: LoggedFacts

    init(_ history: [Simulation.Operation], _ followUps: [HistoryRecorder.FollowUp], _ facts: LoggedFacts) {
        self.facts = facts
        findings = facts.findings
        for operation in history { check(operation) }
        for pair in followUps { check(pair) }
    }

    private mutating func check(_ operation: Simulation.Operation) {
        switch operation.answer {
        case .posted:
            checked += operation.jobs.count
            for job in operation.jobs where facts.posted[job] == nil { miss(job, operation) }
        case .claimed(let claims):
            checked += claims.count
            for claim in claims where facts.claims[claim.fence] != .init(job: claim.job, owner: operation.who ?? "") {
                miss(claim.job, operation)
            }
        case .done where operation.action == .consume:
            checked += 1
            guard let consume = facts.consumed[operation.jobs[0]], consume.owner == operation.who,
                operation.fence ?? consume.fence == consume.fence
            else { return miss(operation.jobs[0], operation) }
        case .done, .seen, .refused, .unknown: break
        }
    }

    private mutating func miss(_ job: JobID, _ operation: Simulation.Operation) {
        findings.append("acknowledged, and not in the log: job \(job), \(operation)")
    }

    private mutating func check(_ pair: HistoryRecorder.FollowUp) {
        guard let place = facts.posted[pair.posted] else { return }
        if facts.consumed[pair.consumed]?.place != place {
            findings.append(
                "\(pair.posted) was posted \(place), and \(pair.consumed), which brought it, was not consumed there")
        }
    }
}
