import Jobboard
import Logging

extension Worker {
    /// What a job's two tasks, the handler and the one that renews the claim, end with.
    private enum Part: Sendable {
        case answered(Verdict)
        case threw(any Error)
        /// The claim is not ours any more; why.
        case lost(String)
        /// Renewing was called off.
        case released
    }

    /// Runs the handler while keeping the claim alive, then carries out its verdict.
    func handle(_ job: Job) async {
        let claimed = ContinuousClock.now
        let claim = Claim(job: job.id, who: who, fence: job.fence ?? 0, board: job.board)
        let end = await withTaskGroup(of: Part.self) { group in
            group.addTask {
                do { return .answered(try await handler(job, claim)) } catch { return .threw(error) }
            }
            group.addTask { await keep(claim, until: claimed + options.lease) }
            // Whichever ends first calls the other off; a lost claim wins over any verdict.
            var end = Part.released
            while let part = await group.next() {
                group.cancelAll()
                switch (part, end) {
                case (.released, _), (_, .lost): break
                default: end = part
                }
            }
            return end
        }
        switch end {
        case .answered(let verdict): await carryOut(verdict, claim)
        case .threw(let error):
            // What ends because it was told to end has not failed.
            let failure = Task.isCancelled && error is CancellationError ? nil : "\(error)"
            await carryOut(.abandon(failure: failure), claim)
        case .lost(let reason):
            logger.warning("claim lost", metadata: ["jobboard.job": "\(job.id)", "jobboard.reason": "\(reason)"])
        case .released: preconditionFailure("a handler ended without an end")
        }
    }

    /// Gives back a job whose handler was never started.
    func giveBack(_ job: Job) async {
        let claim = Claim(job: job.id, who: who, fence: job.fence ?? 0, board: job.board)
        await carryOut(.abandon(), claim)
    }

    /// Renews the claim every third of the lease, until called off or until the claim is lost.
    /// - Parameter end: when the lease ends by our clock, if it is not renewed.
    private func keep(_ claim: Claim, until end: ContinuousClock.Instant) async -> Part {
        var end = end
        let third = options.lease / 3
        var rest = third
        while true {
            do { try await Task.sleep(for: rest) } catch { return .released }
            let asked = ContinuousClock.now
            guard asked < end else { return .lost("no renewal before the lease ended") }
            do {
                _ = try await client.extend(
                    claim.job, who: who, fence: claim.fence, lease: options.lease, timeout: min(end - asked, third))
                end = asked + options.lease
                rest = third
            } catch {
                rest = min(third, .milliseconds(100))
                if error.tellsOfLostClaim { return .lost("\(error)") }
                logger.notice(
                    "claim not renewed", metadata: ["jobboard.job": "\(claim.job)", "jobboard.error": "\(error)"])
                guard ContinuousClock.now < end else { return .lost("no renewal before the lease ended: \(error)") }
            }
        }
    }

    private func carryOut(_ verdict: Verdict, _ claim: Claim) async {
        do {
            switch verdict {
            case .consume(let result, let followUps):
                _ = try await client.consume(
                    claim.job, who: who, fence: claim.fence, result: result, followUps: followUps)
            case .abandon(let delay, let failure):
                _ = try await client.abandon(claim.job, who: who, fence: claim.fence, delay: delay, failure: failure)
            }
        } catch {
            logger.warning(
                "verdict not carried out", metadata: ["jobboard.job": "\(claim.job)", "jobboard.error": "\(error)"])
            // A result or follow-ups that the board refuses are the handler's failure, or the job would run for ever.
            if case .consume = verdict, error.code == .invalidArgument || error.code == .tooLarge || error.code == .duplicate {
                await carryOut(.abandon(failure: "\(error)"), claim)
            }
        }
    }
}

extension JobboardError {
    /// Somebody else has the job, or nobody, or it is gone.
    var tellsOfLostClaim: Bool {
        code == .notOwner || code == .staleFence || code == .notClaimed || code == .notFound
    }
}
