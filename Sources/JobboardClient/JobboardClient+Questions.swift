public import Jobboard
package import WireFormat

// A fresh answer reflects every write that was acknowledged before the question was asked (linearizable). Any other answer is
// whatever the asked node has applied so far.
extension JobboardClient {
    /// The job with that identity; recently consumed ones are still known.
    /// - Throws: `not_found`.
    public func job(_ id: JobID, fresh: Bool = true, timeout: Duration? = nil) async throws(JobboardError) -> Job {
        guard case .job(let job) = try await read(.job(id), fresh, timeout) else { throw Self.senseless }
        return job
    }

    /// Who holds the job; nil when nobody does.
    /// - Throws: `not_found`.
    public func owner(of id: JobID, fresh: Bool = true, timeout: Duration? = nil) async throws(JobboardError) -> String? {
        guard case .owner(let owner) = try await read(.owner(id), fresh, timeout) else { throw Self.senseless }
        return owner
    }

    /// One page of a board's jobs, by priority and then posting order.
    /// - Throws: `invalid_argument`.
    public func jobs(
        _ query: JobsQuery, fresh: Bool = true, timeout: Duration? = nil
    ) async throws(JobboardError) -> JobsPage {
        guard case .jobs(let page) = try await read(.jobs(query), fresh, timeout) else { throw Self.senseless }
        return page
    }

    /// All jobs of a listing, page after page. Each page is read when its turn comes: a job that changes meanwhile may be
    /// listed as it was or as it is.
    /// - Parameter query: its `limit` is the size of a page.
    public func allJobs(_ query: JobsQuery, fresh: Bool = true) -> JobSequence {
        JobSequence(client: self, query: query, fresh: fresh)
    }

    /// How many jobs there are on a board, exactly.
    /// - Parameter state: only those in this state; nil for those on the board (unclaimed and claimed).
    public func count(
        board: String? = nil, state: JobState? = nil, fresh: Bool = true, timeout: Duration? = nil
    ) async throws(JobboardError) -> UInt64 {
        let query = Query.count(board: board ?? self.board, state: state)
        guard case .count(let count) = try await read(query, fresh, timeout) else { throw Self.senseless }
        return count
    }

    /// How a node and its cluster stand.
    /// - Parameter node: the address of the node to ask, whatever its role; nil for the one in use.
    package func status(of node: String? = nil, timeout: Duration? = nil) async throws(JobboardError) -> NodeStatus {
        let response: Response
        if let node {
            guard NodeAddress(node) != nil else { throw JobboardError(.invalidArgument, "'\(node)' is no host:port") }
            response = try await ask(node: node, .read(.status, fresh: false), timeout: timeout).response()
        } else {
            response = try await read(.status, false, timeout)
        }
        guard case .status(let status) = response else { throw Self.senseless }
        return status
    }

    /// The digest of a node's boards and sessions, and the entry that it is of: equal on all nodes that have applied as many.
    /// A node computes it once a second at most, so the entry may be up to a second old.
    /// - Parameter node: the address of the node to ask, whatever its role.
    package func digest(of node: String, timeout: Duration? = nil) async throws(JobboardError) -> (index: UInt64, digest: UInt64)
    {
        guard NodeAddress(node) != nil else { throw JobboardError(.invalidArgument, "'\(node)' is no host:port") }
        let response = try await ask(node: node, .read(.digest, fresh: false), timeout: timeout).response()
        guard case .digest(let index, let digest) = response else { throw Self.senseless }
        return (index, digest)
    }

    private func read(_ query: Query, _ fresh: Bool, _ timeout: Duration?) async throws(JobboardError) -> Response {
        try await ask(.read(query, fresh: fresh), timeout: timeout).response()
    }
}

/// The jobs of a listing, page after page.
public struct JobSequence: AsyncSequence, Sendable {
    let client: JobboardClient
    let query: JobsQuery
    let fresh: Bool

    /// Begins at the query's cursor.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(client: client, query: query, fresh: fresh)
    }

    /// A place in the listing.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let client: JobboardClient
        var query: JobsQuery
        let fresh: Bool
        var page: [Job].SubSequence = []
        var ended = false

        /// The next job; nil at the end.
        /// - Throws: as `jobs`.
        public mutating func next(isolation: isolated (any Actor)? = #isolation) async throws(JobboardError) -> Job? {
            // A page may come back empty and still name a cursor.
            while page.isEmpty, !ended {
                let answer = try await client.jobs(query, fresh: fresh)
                page = answer.jobs[...]
                query.cursor = answer.cursor
                ended = answer.cursor == nil
            }
            return page.popFirst()
        }
    }
}
