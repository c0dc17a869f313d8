import Jobboard
import JobboardClient

/// Runs the user's command for each job a worker claimed.
struct CommandHandler: Sendable {
    let command: [String]
    /// What every job's process gets besides its own: where the cluster is.
    let environment: [String: String]

    func handle(_ job: Job, _ claim: Worker.Claim) async throws -> Worker.Verdict {
        var environment = environment
        environment["JOBBOARD_JOB"] = "\(job.id)"
        environment["JOBBOARD_NAME"] = job.name
        environment["JOBBOARD_FENCE"] = "\(claim.fence)"
        environment["JOBBOARD_BOARD"] = job.board
        environment["JOBBOARD_WHO"] = claim.who
        let process = JobProcess(command: command, environment: environment, input: job.details)
        let result: JobProcess.Result
        do throws(CommandFailure) {
            result = try await process.run()
        } catch {
            return .abandon(failure: error.message)
        }
        // Stopped on our word: the job goes back, and nothing has failed.
        if Task.isCancelled, result.end != .exited(0) { throw CancellationError() }
        return Self.verdict(result)
    }

    static func verdict(_ result: JobProcess.Result) -> Worker.Verdict {
        if result.end == .exited(0) { return .consume() }
        return .abandon(failure: failure(result))
    }

    /// `exit 3` or `signal 9`, and what the command said last.
    static func failure(_ result: JobProcess.Result) -> String {
        let reason =
            switch result.end {
            case .exited(let code): "exit \(code)"
            case .signalled(let number): "signal \(number)"
            }
        return result.lastErrorLine.isEmpty ? reason : "\(reason): \(result.lastErrorLine)"
    }
}
