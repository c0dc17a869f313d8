public import Jobboard
public import Logging
public import ServiceLifecycle

/// Takes jobs off a board and runs a handler for each, several at a time.
///
/// While a handler runs, its claim is kept alive; when the claim is lost all the same, the handler's task is cancelled, and
/// whatever it answers then is dropped. **A handler runs at least once for each job**: after a crash, or a pause longer than the
/// lease, the job runs again somewhere else, possibly while the first handler is still at it. The job's state changes exactly
/// once; effects outside the board must bear a repetition, or be fenced with `claim.fence`.
public struct Worker: Service, Sendable {
    /// What is done with a job. An error thrown gives the job back as a failure with the error's text, unless it is `CannotRun`.
    public typealias Handler = @Sendable (_ job: Job, _ claim: Claim) async throws -> Verdict

    /// Limits and habits of a worker.
    public struct Options: Sendable {
        /// The board to take jobs from; nil for the client's.
        public var board: String?
        /// So many handlers at a time, at most.
        public var concurrency = 1
        /// How long a claim stands without a sign of life; renewed every third of it.
        public var lease: Duration = .seconds(30)
        /// Only jobs of this name.
        public var name: String?
        /// Only jobs of these priorities; empty means all.
        public var priorities: Priorities = []
        /// How long one claim waits at the server for a job.
        public var wait: Duration = .seconds(30)
        /// What becomes of running handlers at a graceful shutdown.
        public var shutdown = Shutdown.finish(within: .seconds(30))
        /// Told when a job comes into our hands, and again, with false, when its verdict has been carried out or it is lost;
        /// and of each pause in the same way.
        package var isBusy: @Sendable (Bool) -> Void = { _ in }

        /// The defaults.
        public init() {}
    }

    /// What becomes of running handlers at a graceful shutdown. Jobs not finished are given back at once.
    public enum Shutdown: Sendable {
        /// They may finish for this long, and are cancelled then.
        case finish(within: Duration)
        /// They are cancelled.
        case cancel
    }

    /// What proves that a job is ours.
    public struct Claim: Sendable, Hashable {
        /// The job.
        public let job: JobID
        /// The name that claimed it.
        public let who: String
        /// Larger than the fence of every claim before: a store that refuses smaller ones is safe from a worker that lost its job.
        public let fence: UInt64
        /// The board it is on.
        public let board: String
    }

    /// What a handler came to.
    public enum Verdict: Sendable {
        /// Done: takes the job off the board, and posts the follow-ups in the same step. `result` is JSON text.
        case consume(result: [UInt8]? = nil, followUps: [NewJob] = [])
        /// Not done: gives the job back. With `failure` it counts as one.
        case abandon(delay: Duration? = nil, failure: String? = nil)
    }

    /// Thrown by a handler that could not begin, for a reason that has nothing to do with the job: a program that is missing,
    /// no memory. The job is given back, and it doesn't count as a failure.
    public struct CannotRun: Error, Sendable, Equatable, CustomStringConvertible {
        /// What is wrong, in one line.
        public var reason: String
        /// True when it may be over soon: the worker then claims nothing for a second, and longer each time it happens again.
        /// Otherwise the worker ends as at a graceful shutdown, and `run` throws this error.
        public var isPassing: Bool

        /// An error with what is wrong in one line.
        public init(_ reason: String, isPassing: Bool) {
            self.reason = reason
            self.isPassing = isPassing
        }

        /// The reason.
        public var description: String { reason }
    }

    let client: JobboardClient
    let who: String
    let options: Options
    let logger: Logger
    let handler: Handler

    /// A worker that begins when `run` is called.
    /// - Parameter who: the name its claims are made under; two workers that run at the same time need two names.
    public init(
        client: JobboardClient, who: String, options: Options = Options(), logger: Logger? = nil, handler: @escaping Handler
    ) {
        self.client = client
        self.who = who
        self.options = options
        self.logger = logger ?? client.logger
        self.handler = handler
    }

    /// Claims and handles jobs until graceful shutdown or cancellation; then stops claiming and ends as `options.shutdown` says
    /// (at cancellation: at once). No handler runs any more when it returns.
    /// - Throws: `JobboardError` when claiming is refused for a reason that waiting does not cure; `CannotRun` when a handler
    ///   could not begin for such a reason.
    public func run() async throws {
        try await withThrowingTaskGroup(of: WorkerStep.self) { group in
            group.addTask {
                try? await gracefulShutdown()
                return .stop
            }
            try await work(in: &group)
            group.cancelAll()
        }
    }
}
