import Jobboard
import Logging

extension Worker {
    /// What a job's tasks end with: the handler, the one that carries out its verdict, and the one that renews the claim.
    private enum Part: Sendable {
        case answered(Verdict)
        case threw(any Error)
        /// Whether the verdict has been carried out.
        case decided(Bool)
        /// The claim is not ours any more, the cluster says.
        case lost(String)
        /// By our clock the lease has ended, since it could not be renewed.
        case expired(String)
        /// Renewing was called off.
        case released
    }

    /// Runs the handler and carries out its verdict, while keeping the claim alive: a verdict that the cluster can't take at
    /// present is tried again for as long as the claim stands.
    /// - Returns: why the handler could not begin, if so.
    func handle(_ job: Job) async -> CannotRun? {
        let claimed = ContinuousClock.now
        let claim = Claim(job: job.id, who: who, fence: job.fence ?? 0, board: job.board)
        return await withTaskGroup(of: Part.self) { group in
            group.addTask {
                do { return .answered(try await handler(job, claim)) } catch { return .threw(error) }
            }
            group.addTask { await keep(claim, until: claimed + options.lease) }
            var trouble: CannotRun?
            var lost: String?
            var isDeciding = false
            while let part = await group.next() {
                switch part {
                // A lost claim wins over any verdict.
                case .answered(let verdict) where lost == nil:
                    isDeciding = true
                    group.addTask { .decided(await carryOut(verdict, claim)) }
                case .threw(let error) where lost == nil:
                    isDeciding = true
                    trouble = error as? CannotRun
                    // What ends because it was told to end has not failed, nor has what could not begin.
                    let isFailure = trouble == nil && !(Task.isCancelled && error is CancellationError)
                    group.addTask { .decided(await carryOut(.abandon(failure: isFailure ? "\(error)" : nil), claim)) }
                case .answered, .threw: reportLost(claim, lost)
                case .decided(let isDone):
                    group.cancelAll()
                    // A verdict whose answer got lost on the way ends the claim, too.
                    if !isDone { reportLost(claim, lost) }
                // A verdict names its claim's fence: sent late, it is refused or right. The cluster has the last word.
                case .expired where isDeciding: break
                case .lost(let reason), .expired(let reason):
                    lost = reason
                    group.cancelAll()
                case .released: break
                }
            }
            return trouble
        }
    }

    private func reportLost(_ claim: Claim, _ reason: String?) {
        guard let reason else { return }
        logger.warning("claim lost", metadata: ["jobboard.job": "\(claim.job)", "jobboard.reason": "\(reason)"])
    }

    /// Gives back a job whose handler was never started.
    func giveBack(_ job: Job) async {
        let claim = Claim(job: job.id, who: who, fence: job.fence ?? 0, board: job.board)
        _ = await carryOut(.abandon(), claim)
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
            guard asked < end else { return .expired("no renewal before the lease ended") }
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
                guard ContinuousClock.now < end else { return .expired("no renewal before the lease ended: \(error)") }
            }
        }
    }

    /// Tries until there is an answer, or until the task is cancelled: because the claim is lost, or at a shutdown.
    /// - Returns: true when the verdict has been carried out.
    private func carryOut(_ verdict: Verdict, _ claim: Claim) async -> Bool {
        var verdict = verdict
        var pause = Duration.milliseconds(100)
        while true {
            do {
                try await send(verdict, claim)
                return true
            } catch {
                let details: Logger.Metadata = ["jobboard.job": "\(claim.job)", "jobboard.error": "\(error)"]
                if case .consume = verdict, error.code == .invalidArgument || error.code == .tooLarge || error.code == .duplicate
                {
                    // A result or follow-ups that the board refuses are the handler's failure, or the job would run for ever.
                    logger.warning("verdict not carried out", metadata: details)
                    verdict = .abandon(failure: "\(error)")
                    continue
                }
                guard error.isPassing, !Task.isCancelled else {
                    logger.warning("verdict not carried out", metadata: details)
                    return false
                }
                logger.warning("verdict not carried out yet, trying again", metadata: details)
                do { try await Task.sleep(for: pause) } catch { return false }
                pause = min(pause * 2, .seconds(2))
            }
        }
    }

    private func send(_ verdict: Verdict, _ claim: Claim) async throws(JobboardError) {
        switch verdict {
        case .consume(let result, let followUps):
            _ = try await client.consume(claim.job, who: who, fence: claim.fence, result: result, followUps: followUps)
        case .abandon(let delay, let failure):
            _ = try await client.abandon(claim.job, who: who, fence: claim.fence, delay: delay, failure: failure)
        }
    }
}

extension JobboardError {
    /// The cluster may take the same request later.
    var isPassing: Bool {
        code == .unavailable || code == .overloaded || code == .sessionExpired || code == .readOnly
    }

    /// Somebody else has the job, or nobody, or it is gone.
    var tellsOfLostClaim: Bool {
        code == .notOwner || code == .staleFence || code == .notClaimed || code == .notFound
    }
}
