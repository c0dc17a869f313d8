public import Jobboard
import WireFormat

/// A posted job, and whether it was on the board before.
public struct PostedJob: Sendable, Equatable {
    /// The job on the board.
    public let job: Job
    /// True when the same post came before, or a live job holds the same key: nothing was posted.
    public let duplicate: Bool
}

// Every write is durable on a majority of the cluster's disks before the call returns.
extension JobboardClient {
    /// Puts a job on a board.
    /// - Throws: `duplicate` (this id was posted with other content), `invalid_argument`, `too_large`, `overloaded`, `read_only`.
    public func post(_ job: NewJob, board: String? = nil, timeout: Duration? = nil) async throws(JobboardError) -> PostedJob {
        let posted = try await post([job], board: board, timeout: timeout)
        guard let first = posted.first else { throw Self.senseless }
        return first
    }

    /// Puts jobs on a board: all or none.
    /// - Returns: one for each job, in the order given.
    /// - Throws: as for one job; the message names the job concerned.
    public func post(
        _ jobs: [NewJob], board: String? = nil, timeout: Duration? = nil
    ) async throws(JobboardError) -> [PostedJob] {
        guard !jobs.isEmpty else { return [] }
        let outcome = try await outcome(of: .post(board: board ?? self.board, jobs: jobs), timeout: timeout)
        guard case .posted(let jobs, let duplicates) = outcome, jobs.count == duplicates.count else { throw Self.senseless }
        return zip(jobs, duplicates).map { PostedJob(job: $0, duplicate: $1) }
    }

    /// Claims a job that is on the board and not claimed.
    /// - Parameters:
    ///   - who: the name under which it must be extended, abandoned or consumed.
    ///   - lease: how long the claim stands without an `extend`; nil for the job's own lease or the board's default.
    /// - Returns: the job with its `fence`, a number larger than every fence given before on the cluster.
    /// - Throws: `not_found`; `unclaimable`, whose `owner` says who holds it.
    public func claim(
        _ id: JobID, who: String, lease: Duration? = nil, timeout: Duration? = nil
    ) async throws(JobboardError) -> Job {
        let command = Command.claim(job: id, who: who, leaseMilliseconds: Self.lease(lease))
        guard case .claimed(let jobs) = try await outcome(of: command, timeout: timeout), let job = jobs.first else {
            throw Self.senseless
        }
        return job
    }

    /// Prolongs a claim from now on.
    /// - Parameter fence: when given, must be the claim's.
    /// - Throws: `not_found`, `not_claimed`, `not_owner`, `stale_fence`.
    public func extend(
        _ id: JobID, who: String, fence: UInt64? = nil, lease: Duration? = nil, timeout: Duration? = nil
    ) async throws(JobboardError) -> Job {
        try await change(
            .extend(Holder(job: id, who: who, fence: fence), leaseMilliseconds: Self.lease(lease)), timeout: timeout)
    }

    /// Gives a claimed job back, to its old place in the order.
    /// - Parameters:
    ///   - delay: claimable again only after this long.
    ///   - failure: counts as a failure, with this text; after the job's `maxFailures` it is trashed.
    /// - Throws: `not_found`, `not_claimed`, `not_owner`, `stale_fence`.
    public func abandon(
        _ id: JobID, who: String, fence: UInt64? = nil, delay: Duration? = nil, failure: String? = nil,
        timeout: Duration? = nil
    ) async throws(JobboardError) -> Job {
        try await change(
            .abandon(
                Holder(job: id, who: who, fence: fence), delayMilliseconds: delay?.clampedMilliseconds, failure: failure),
            timeout: timeout)
    }

    /// Takes a claimed job off the board for good: it is done.
    /// - Parameters:
    ///   - result: JSON text to leave with the job.
    ///   - followUps: jobs posted to the same board in the same step.
    /// - Throws: `not_found`, `not_claimed`, `not_owner`, `stale_fence`; and as for a post.
    public func consume(
        _ id: JobID, who: String, fence: UInt64? = nil, result: [UInt8]? = nil, followUps: [NewJob] = [],
        timeout: Duration? = nil
    ) async throws(JobboardError) -> Job {
        try await change(
            .consume(Holder(job: id, who: who, fence: fence), result: result, followUps: followUps), timeout: timeout)
    }

    private func change(_ command: Command, timeout: Duration?) async throws(JobboardError) -> Job {
        guard case .changed(let job) = try await outcome(of: command, timeout: timeout) else { throw Self.senseless }
        return job
    }

    private func outcome(of command: Command, timeout: Duration?) async throws(JobboardError) -> Outcome {
        guard case .outcome(let outcome) = try await ask(.write(command), timeout: timeout).response() else {
            throw Self.senseless
        }
        return outcome
    }

    static func lease(_ lease: Duration?) -> UInt32? {
        lease.map { UInt32(clamping: $0.clampedMilliseconds) }
    }

    /// The node answered something else than what was asked.
    static var senseless: JobboardError {
        JobboardError(.internal, "the node's answer does not fit the request", outcome: .unknown)
    }
}

extension Reply {
    /// The answer, or why there is none. For calls that can't be cancelled.
    func response() throws(JobboardError) -> Response {
        switch self {
        case .response(.outcome(.refused(let error))), .failed(let error): throw error
        case .response(let response): return response
        case .cancelled: preconditionFailure("a call was cancelled that has no ticket")
        }
    }

    /// The answer, or why there is none, cancellation included.
    func responseUnlessCancelled() throws -> Response {
        if case .cancelled = self { throw CancellationError() }
        return try response()
    }
}
