package import Jobboard

/// Says whether a history of clients can be explained by one board on which every operation took effect at one moment
/// between its call and its return.
///
/// What is checked:
/// - per job (a history is linearizable when it is for each object by itself; Herlihy and Wing, 1990): posts, claims,
///   extends, abandons, consumes, owner and show, with unknown answers tried at every later moment and as never done;
/// - over all jobs: a fence is given once, and of two claims of which one had returned before the other was called,
///   the later has the greater fence.
///
/// A claim of the next job counts as a claim of each job it got. An empty one is checked in a weak form: no job may
/// have been claimable without doubt from before its call until after its return. Not checked: that it got the first
/// in order, that it got as many as it could, that the jobs of one post came together, and listings.
///
/// A lease may end by itself at any time once it can be over: not before the call of the claim or extend, plus the
/// lease, less `clockSlack`; that is the bound on how much less time may pass in truth than the log's stamps say.
/// Without a slack, a lease may end at once.
package struct LinearizabilityChecker {
    package struct Finding: Sendable, Equatable, CustomStringConvertible {
        package var job: JobID?
        /// One line that explains it.
        package var description: String
    }

    package struct Verdict: Sendable, Equatable {
        package var operations = 0
        package var jobs = 0
        package var unknown = 0
        package var violations: [Finding] = []
        /// Too many orders to try: neither good nor bad.
        package var undecided: [JobID] = []

        package var isGood: Bool { violations.isEmpty && undecided.isEmpty }
    }

    /// In microseconds; nil when nothing is known of the clocks.
    package var clockSlack: UInt64?
    /// States looked at for one job before it counts as undecided.
    package var effort = 2_000_000

    private var names: [String: Int32] = [:]
    private var nameList: [String] = []

    package init(clockSlack: UInt64? = nil) {
        self.clockSlack = clockSlack
    }

    package mutating func check(_ history: [Operation]) -> Verdict {
        var verdict = Verdict()
        verdict.operations = history.count
        verdict.unknown = history.count { $0.answer == .unknown }
        verdict.violations += FenceCheck.findings(history) + EmptyClaimCheck.findings(history)
        let parts = partition(history)
        verdict.jobs = parts.count
        let model = JobModel(ghosts: ghosts(history), mayForget: Self.mayForget(history))
        for (job, steps) in parts {
            var search = LinearizabilitySearch(steps, model)
            switch search.run(effort: effort) {
            case .explained: break
            case .tooHard: verdict.undecided.append(job)
            case .stuck(let step, let jobs, _):
                verdict.violations.append(explain(job, history[steps[step].source], jobs))
            }
        }
        return verdict
    }

    /// More jobs may be complete than a board is sure to remember.
    private static func mayForget(_ history: [Operation]) -> Bool {
        let consumed = history.count { operation in
            if case .refused = operation.answer { return false }
            return operation.action == .consume
        }
        return consumed >= BoardLimits().completedJobs
    }

    /// The operations of each job, in the order in which the history first names the jobs.
    private mutating func partition(_ history: [Operation]) -> [(JobID, [ModelStep])] {
        var places: [JobID: Int] = [:]
        var parts: [(JobID, [ModelStep])] = []
        func add(_ job: JobID, _ step: ModelStep) {
            if let place = places[job] { return parts[place].1.append(step) }
            places[job] = parts.count
            parts.append((job, [step]))
        }
        for (source, operation) in history.enumerated() {
            if case .claimed(let claims) = operation.answer {
                for claim in claims { add(claim.job, step(operation, source, .claimed(fence: claim.fence))) }
                continue
            }
            for (place, job) in operation.jobs.enumerated() {
                guard let answer = answer(of: operation, place) else { continue }
                add(job, step(operation, source, answer))
            }
        }
        return parts
    }

    /// nil when nothing about the job follows from it.
    private mutating func answer(of operation: Operation, _ place: Int) -> ModelStep.Answer? {
        switch operation.answer {
        case .unknown: operation.action == .owner || operation.action == .show ? nil : .unknown
        case .done(let state): .done(state)
        case .posted(let duplicates): .posted(isDuplicate: duplicates.isEmpty ? nil : duplicates[place])
        case .claimed: nil
        case .seen(let state, let owner, let fence): .seen(state, owner: number(of: owner), fence: fence)
        case .refused(let code, _):
            switch JobboardError.Code(rawValue: code) {
            case .notFound: .notFound
            case .unclaimable: .unclaimable
            case .notClaimed: .notClaimed
            case .notOwner: .notOwner
            case .staleFence: .staleFence
            // It says only that one of the jobs of the post was there with other content.
            case .duplicate where operation.jobs.count == 1: .duplicate
            default: nil
            }
        }
    }

    private mutating func step(_ operation: Operation, _ source: Int, _ answer: ModelStep.Answer) -> ModelStep {
        var named: Int32 = -1
        if case .refused(_, let owner) = operation.answer { named = number(of: owner) }
        return ModelStep(
            action: operation.action, who: number(of: operation.who), fence: operation.fence ?? 0,
            isDelayed: operation.isDelayed, endsFrom: endsFrom(operation), called: operation.called,
            returned: operation.returned ?? .max, answer: answer, namedOwner: named, source: source)
    }

    private func endsFrom(_ operation: Operation) -> UInt64 {
        guard let clockSlack, let lease = operation.leaseMilliseconds else { return 0 }
        let (end, overflow) = operation.called.addingReportingOverflow(lease.multipliedReportingOverflow(by: 1000).partialValue)
        return overflow || end < clockSlack ? 0 : end - clockSlack
    }

    private mutating func number(of name: String?) -> Int32 {
        guard let name else { return -1 }
        if let number = names[name] { return number }
        let number = Int32(nameList.count)
        names[name] = number
        nameList.append(name)
        return number
    }

    /// Each owner once, with the earliest call: taking more for possible than was is sound.
    private mutating func ghosts(_ history: [Operation]) -> [(owner: Int32, since: UInt64)] {
        var ghosts: [(owner: Int32, since: UInt64)] = []
        for operation in history where operation.action == .claimNext && operation.answer == .unknown {
            let owner = number(of: operation.who)
            if let place = ghosts.firstIndex(where: { $0.owner == owner }) {
                ghosts[place].since = min(ghosts[place].since, operation.called)
            } else {
                ghosts.append((owner, operation.called))
            }
        }
        return ghosts
    }

    private func explain(_ job: JobID, _ operation: Operation, _ jobs: [ModelJob]) -> Finding {
        let states = jobs.map(describe).joined(separator: ", or ")
        return Finding(job: job, description: "job \(job) is \(states); nothing explains \(operation)")
    }

    private func describe(_ job: ModelJob) -> String {
        switch job.phase {
        case .absent: "not there"
        case .ready: "claimable" + (job.lastFence > 0 ? " after fence \(job.lastFence)" : "")
        case .waiting: "waiting"
        case .claimed:
            "claimed by \(job.owner >= 0 ? nameList[Int(job.owner)] : "somebody")"
                + (job.fence > 0 ? " with fence \(job.fence)" : "") + (job.endsFrom > 0 ? " until \(job.endsFrom) at least" : "")
        case .complete: "complete"
        case .trashed: "trashed"
        }
    }
}
