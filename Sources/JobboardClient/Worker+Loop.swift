import Jobboard
import Logging
import ServiceLifecycle

/// What a child task of a worker ended with.
enum WorkerStep: Sendable {
    case claimed([Job])
    /// The cluster could not answer; it was given a moment.
    case retryClaim
    /// A job is no longer in our hands.
    case handled
    /// Shut down, or cancelled.
    case stop
    /// Handlers had the time they were promised.
    case timeIsUp
}

extension Worker {
    /// How long to leave the cluster alone after a failed claim.
    private static let pause = Duration.seconds(1)

    /// One child task claims, one for each job handles it; this loop starts them and takes note of their ends.
    func work(in group: inout ThrowingTaskGroup<WorkerStep, any Error>) async throws {
        var handling = 0
        var claiming = false
        var stopping = false
        while !stopping || claiming || handling > 0 {
            if !stopping, !claiming, handling < max(1, options.concurrency) {
                claiming = true
                let count = max(1, options.concurrency) - handling
                group.addTask { try await claim(count) }
            }
            guard let step = try await group.next() else { return }
            switch step {
            case .claimed(let jobs):
                claiming = false
                handling += jobs.count
                for job in jobs { begin(job, stopping: stopping, in: &group) }
            case .retryClaim: claiming = false
            case .handled: handling -= 1
            case .stop:
                stopping = true
                stop(&group)
            case .timeIsUp: group.cancelAll()
            }
        }
    }

    private func begin(_ job: Job, stopping: Bool, in group: inout ThrowingTaskGroup<WorkerStep, any Error>) {
        group.addTask {
            if stopping { await giveBack(job) } else { await handle(job) }
            return .handled
        }
    }

    private func stop(_ group: inout ThrowingTaskGroup<WorkerStep, any Error>) {
        switch options.shutdown {
        case .cancel:
            group.cancelAll()
        case .finish(let limit):
            group.addTask {
                try? await Task.sleep(for: limit)
                return .timeIsUp
            }
        }
    }

    /// One claim. It is called off at shutdown; what it got all the same comes back as `claimed`.
    private func claim(_ count: Int) async throws -> WorkerStep {
        try await cancelWhenGracefulShutdown {
            do {
                let jobs = try await client.claimNext(
                    who: who, count: count, wait: options.wait, lease: options.lease, priorities: options.priorities,
                    name: options.name, board: options.board)
                return .claimed(jobs)
            } catch is CancellationError {
                return .retryClaim
            } catch let error as JobboardError {
                switch error.code {
                case .unavailable, .overloaded, .sessionExpired, .readOnly:
                    logger.warning("claim failed, trying again", metadata: ["jobboard.error": "\(error)"])
                    try? await Task.sleep(for: Self.pause)
                    return .retryClaim
                default:
                    throw error
                }
            }
        }
    }
}
