public import Jobboard
import WireFormat

// These calls last on purpose, and end with `CancellationError` when their task is cancelled.
extension JobboardClient {
    /// Claims the first claimable jobs, and waits for one when there is none.
    ///
    /// When the task is cancelled while a claim is on its way, the client gives back whatever was claimed.
    /// - Parameters:
    ///   - who: the name under which the jobs must be extended, abandoned or consumed.
    ///   - count: at most this many.
    ///   - wait: how long to wait, at the server, for the first one.
    ///   - lease: how long the claims stand without an `extend`; nil for each job's own lease or the board's default.
    ///   - priorities: only these; empty means all.
    ///   - name: only jobs of this name.
    ///   - timeout: for the answer, on top of `wait`.
    /// - Returns: what was claimed, in claim order; empty when nothing was claimable in time.
    /// - Throws: `JobboardError` (`invalid_argument`, …) or `CancellationError`.
    public func claimNext(
        who: String, count: Int = 1, wait: Duration = .zero, lease: Duration? = nil, priorities: Priorities = [],
        name: String? = nil, board: String? = nil, timeout: Duration? = nil
    ) async throws -> [Job] {
        let claim = ClaimNext(
            board: board ?? self.board, who: who, count: UInt32(clamping: count), leaseMilliseconds: Self.lease(lease),
            priorities: priorities, name: name)
        let work = Work.claimNext(claim, wait: wait.clampedNanoseconds)
        let response = try await askUnlessCancelled(work, timeout: timeout).responseUnlessCancelled()
        guard case .outcome(.claimed(let jobs)) = response else { throw Self.senseless }
        return jobs
    }

    /// Waits until a claimable job is on the board.
    /// - Returns: false when the time is up.
    /// - Throws: `JobboardError` or `CancellationError`.
    public func waitForClaimable(board: String? = nil, upTo limit: Duration) async throws -> Bool {
        let work = Work.waitForClaimable(board: board ?? self.board, wait: limit.clampedNanoseconds)
        let response = try await askUnlessCancelled(work, timeout: nil).responseUnlessCancelled()
        guard case .ready(let ready) = response else { throw Self.senseless }
        return ready
    }

    /// Waits until the job is COMPLETE or TRASHED.
    /// - Returns: the job; as it is when the time is up.
    /// - Throws: `JobboardError` (`not_found`, …) or `CancellationError`.
    public func waitForEnd(of id: JobID, upTo limit: Duration) async throws -> Job {
        let work = Work.waitForEnd(job: id, wait: limit.clampedNanoseconds)
        let response = try await askUnlessCancelled(work, timeout: nil).responseUnlessCancelled()
        guard case .job(let job) = response else { throw Self.senseless }
        return job
    }

    /// Every event of one board, once and in order, across fail-overs.
    /// - Parameters:
    ///   - board: nil for the client's board.
    ///   - position: the first position wanted; nil for what happens from now on.
    public func watch(board: String? = nil, from position: UInt64? = nil) -> EventSequence {
        openWatch(board: board ?? self.board, from: position)
    }

    /// Every event of all boards, once and in order, across fail-overs. Positions have no gaps.
    /// - Parameter position: the first position wanted; nil for what happens from now on.
    public func watchAllBoards(from position: UInt64? = nil) -> EventSequence {
        openWatch(board: nil, from: position)
    }
}
