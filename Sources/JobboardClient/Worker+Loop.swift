import Jobboard
import Logging
import ServiceLifecycle

/// What a child task of a worker ended with.
enum WorkerStep: Sendable {
    case claimed([Job])
    /// The cluster could not answer; it was given a moment.
    case retryClaim
    /// A job is no longer in our hands; why its handler could not begin, if so.
    case handled(Worker.CannotRun?)
    /// A job is no longer in our hands, and its handler was never tried.
    case givenBack
    /// Handlers may be able to begin again.
    case pauseIsOver
    /// Shut down, or cancelled.
    case stop
    /// Handlers had the time they were promised.
    case timeIsUp
}

/// How long a worker claims nothing because handlers can't begin.
struct WorkerPauses {
    private static let shortest = Duration.seconds(1)
    private static let longest = Duration.seconds(30)

    private var next = shortest
    private(set) var isPausing = false

    /// How long the pause is that begins; nil when there is one already.
    mutating func begin() -> Duration? {
        guard !isPausing else { return nil }
        isPausing = true
        defer { next = min(next * 2, Self.longest) }
        return next
    }

    mutating func ended() {
        isPausing = false
    }

    /// Some can begin: it isn't getting worse.
    mutating func handlerRan() {
        next = Self.shortest
    }
}

extension Worker {
    /// How long to leave the cluster alone after a failed claim.
    private static let pause = Duration.seconds(1)

    /// One child task claims, one for each job handles it; this loop starts them and takes note of their ends.
    func work(in group: inout ThrowingTaskGroup<WorkerStep, any Error>) async throws {
        var handling = 0
        var claiming = false
        var stopping = false
        var pauses = WorkerPauses()
        var fatal: CannotRun?
        while !stopping || claiming || handling > 0 {
            if !stopping, !claiming, !pauses.isPausing, handling < max(1, options.concurrency) {
                claiming = true
                let count = max(1, options.concurrency) - handling
                group.addTask { try await claim(count) }
            }
            guard let step = try await group.next() else { return }
            switch step {
            case .claimed(let jobs):
                claiming = false
                handling += jobs.count
                for job in jobs { begin(job, givingBack: stopping || pauses.isPausing, in: &group) }
            case .retryClaim: claiming = false
            case .handled(nil):
                handling -= 1
                pauses.handlerRan()
            case .givenBack: handling -= 1
            case .handled(let trouble?):
                handling -= 1
                if trouble.isPassing {
                    pause(because: trouble, &pauses, in: &group)
                } else if !stopping {
                    fatal = trouble
                    stopping = true
                    stop(&group)
                }
            case .pauseIsOver:
                pauses.ended()
                options.isBusy(false)
            case .stop:
                stopping = true
                stop(&group)
            case .timeIsUp: group.cancelAll()
            }
        }
        if let fatal { throw fatal }
    }

    private func begin(_ job: Job, givingBack: Bool, in group: inout ThrowingTaskGroup<WorkerStep, any Error>) {
        options.isBusy(true)
        group.addTask {
            defer { options.isBusy(false) }
            guard givingBack else { return .handled(await handle(job)) }
            await giveBack(job)
            return .givenBack
        }
    }

    private func pause(
        because trouble: CannotRun, _ pauses: inout WorkerPauses, in group: inout ThrowingTaskGroup<WorkerStep, any Error>
    ) {
        guard let length = pauses.begin() else { return }
        options.isBusy(true)
        logger.error(
            "can't run a handler; the job was given back, and nothing is claimed for a while",
            metadata: ["jobboard.reason": "\(trouble)", "jobboard.pause": "\(length)"])
        group.addTask {
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: length) }
            return .pauseIsOver
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
                guard error.isPassing else { throw error }
                logger.warning("claim failed, trying again", metadata: ["jobboard.error": "\(error)"])
                try? await Task.sleep(for: Self.pause)
                return .retryClaim
            }
        }
    }
}
