import Jobboard

/// What must hold between the fences of all claims, whatever their jobs.
enum FenceCheck {
    private struct Given {
        var fence: UInt64
        var job: JobID
        var operation: Operation
    }

    static func findings(_ history: [Operation]) -> [LinearizabilityChecker.Finding] {
        var given: [Given] = []
        for operation in history {
            guard case .claimed(let claims) = operation.answer else { continue }
            for claim in claims { given.append(Given(fence: claim.fence, job: claim.job, operation: operation)) }
        }
        return reused(given) + outOfOrder(given)
    }

    private static func reused(_ given: [Given]) -> [LinearizabilityChecker.Finding] {
        var first: [UInt64: Given] = [:]
        var findings: [LinearizabilityChecker.Finding] = []
        for claim in given {
            if let other = first[claim.fence] {
                let text = "fence \(claim.fence) was given twice: for job \(other.job) to \(other.operation.client), "
                findings.append(
                    .init(job: claim.job, description: text + "and for job \(claim.job) to \(claim.operation.client)"))
            } else {
                first[claim.fence] = claim
            }
        }
        return findings
    }

    /// Of two claims, one of which had returned before the other was called, the later must have the greater fence.
    private static func outOfOrder(_ given: [Given]) -> [LinearizabilityChecker.Finding] {
        let byReturn = given.sorted { ($0.operation.returned ?? .max, $0.fence) < ($1.operation.returned ?? .max, $1.fence) }
        let byCall = given.sorted { ($0.operation.called, $0.fence) < ($1.operation.called, $1.fence) }
        var findings: [LinearizabilityChecker.Finding] = []
        var returned = 0
        var greatest: Given?
        for claim in byCall {
            while returned < byReturn.count, let end = byReturn[returned].operation.returned, end < claim.operation.called {
                if byReturn[returned].fence > greatest?.fence ?? 0 { greatest = byReturn[returned] }
                returned += 1
            }
            guard let greatest, claim.fence < greatest.fence else { continue }
            let text = "fence \(claim.fence) of job \(claim.job) was given after fence \(greatest.fence) of job \(greatest.job): "
            let end = greatest.operation.returned ?? 0
            findings.append(
                .init(job: claim.job, description: text + "called \(claim.operation.called), the other had returned at \(end)"))
        }
        return findings
    }
}

/// A claim of the next job that got nothing although there was something.
enum EmptyClaimCheck {
    /// A job that was claimable without doubt after `from` and before `until`, both in microseconds.
    private struct Ready {
        var job: JobID
        var board: String?
        var from: UInt64
        var until: UInt64
    }

    static func findings(_ history: [Operation]) -> [LinearizabilityChecker.Finding] {
        let ready = surelyReady(history).sorted { $0.from < $1.from }
        var boards: [String?: [Ready]] = [:]
        for job in ready {
            // Of the jobs ready from some moment on, the one that stays ready longest decides.
            var best = job
            if let last = boards[job.board]?.last, last.until > job.until {
                best = last
                best.from = job.from
            }
            boards[job.board, default: []].append(best)
        }
        var findings: [LinearizabilityChecker.Finding] = []
        for operation in history where operation.action == .claimNext && !operation.isFiltered {
            guard case .claimed(let claims) = operation.answer, claims.isEmpty, let returned = operation.returned,
                let jobs = boards[operation.board], let job = last(of: jobs, before: operation.called), job.until > returned
            else { continue }
            findings.append(
                .init(job: job.job, description: "job \(job.job) was claimable all the while, and yet \(operation)"))
        }
        return findings
    }

    private static func last(of jobs: [Ready], before time: UInt64) -> Ready? {
        var (low, high) = (0, jobs.count)
        while low < high {
            let middle = (low + high) / 2
            if jobs[middle].from < time { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? jobs[low - 1] : nil
    }

    /// From the return of an undelayed post until the first call that could have claimed it.
    private static func surelyReady(_ history: [Operation]) -> [Ready] {
        var firstClaim: [JobID: UInt64] = [:]
        var firstGhost = UInt64.max
        var isDelayed: Set<JobID> = []
        func claimable(_ job: JobID, until time: UInt64) { firstClaim[job] = min(firstClaim[job] ?? .max, time) }
        for operation in history {
            switch (operation.action, operation.answer) {
            case (_, .claimed(let claims)): for claim in claims { claimable(claim.job, until: operation.called) }
            case (.claimNext, .unknown): firstGhost = min(firstGhost, operation.called)
            case (.claim, .unknown): claimable(operation.jobs[0], until: operation.called)
            case (.post, _) where operation.isDelayed: isDelayed.formUnion(operation.jobs)
            default: break
            }
        }
        var ready: [Ready] = []
        for operation in history where operation.action == .post && !operation.isDelayed {
            guard case .posted(let duplicates) = operation.answer, let returned = operation.returned else { continue }
            for (place, job) in operation.jobs.enumerated() where !isDelayed.contains(job) {
                guard duplicates.isEmpty || !duplicates[place] else { continue }
                let until = min(firstClaim[job] ?? .max, firstGhost)
                ready.append(Ready(job: job, board: operation.board, from: returned, until: until))
            }
        }
        return ready
    }
}
