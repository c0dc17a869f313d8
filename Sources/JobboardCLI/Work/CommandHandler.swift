import Jobboard
import JobboardClient

/// Runs the user's command for each job a worker claimed.
struct CommandHandler: Sendable {
    /// With what every job's process gets in its environment.
    let command: Spawn.Command
    /// A command that runs longer is stopped, and has failed.
    let limit: Duration?
    let thread: CommandThread

    /// - Throws: `Worker.CannotRun` when the command could not be started: nothing was done for the job then, and nothing
    ///   is wrong with it.
    func handle(_ job: Job, _ claim: Worker.Claim) async throws -> Worker.Verdict {
        var command = command
        command.environment += Self.environment(job, claim)
        let result: JobProcess.Result
        do throws(StartFailure) {
            result = try await JobProcess(command: command, input: job.details, limit: limit, thread: thread).run()
        } catch {
            throw Worker.CannotRun(error.description, isPassing: error.isPassing)
        }
        // Stopped on our word: the job goes back, and nothing has failed.
        if Task.isCancelled, result.end != .exited(0) { throw CancellationError() }
        return verdict(result)
    }

    /// The variables that are this job's.
    private static func environment(_ job: Job, _ claim: Worker.Claim) -> [[UInt8]] {
        [
            "JOBBOARD_JOB=\(job.id)", "JOBBOARD_NAME=\(job.name)", "JOBBOARD_FENCE=\(claim.fence)",
            "JOBBOARD_BOARD=\(job.board)", "JOBBOARD_WHO=\(claim.who)",
        ].map { Array($0.utf8) }
    }

    /// Our own environment without the variables that are set for each job, and with where the cluster is.
    static func environment(nodes: String) -> [[UInt8]] {
        let own = ["JOB", "NAME", "FENCE", "BOARD", "WHO"].map { Array("JOBBOARD_\($0)=".utf8) }
        return SystemText.environment(with: ["JOBBOARD_NODES": nodes]).filter { entry in
            !own.contains { entry.starts(with: $0) }
        }
    }

    func verdict(_ result: JobProcess.Result) -> Worker.Verdict {
        if result.end == .exited(0), !result.ranTooLong { return .consume() }
        return .abandon(failure: failure(result))
    }

    /// `exit 3` or `signal 9`, and what the command said last.
    func failure(_ result: JobProcess.Result) -> String {
        let reason =
            if result.ranTooLong, let limit {
                "ran longer than \(limit.defaultValueDescription)"
            } else {
                switch result.end {
                case .exited(let code): "exit \(code)"
                case .signalled(let number): "signal \(number)"
                case .unknown: "nobody knows how it ended"
                }
            }
        return result.lastErrorLine.isEmpty ? reason : "\(reason): \(result.lastErrorLine)"
    }
}
