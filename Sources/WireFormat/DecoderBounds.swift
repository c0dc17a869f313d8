package import Jobboard

/// How much a request may announce. The rules' own limits are lower or the same; where they are lower, a request between
/// the two is refused with a message of its own, and one above these is no request at all.
enum RequestBounds {
    private static let limits = BoardLimits()

    /// Of a board's or a job's name, a key, a logbook's name, a `who`, in bytes.
    static let nameBytes = 16 * limits.nameBytes
    static let failureBytes = 2 * limits.failureBytes
    /// Jobs of one post, follow-ups of one consume.
    static let newJobs = 2 * limits.postJobs
    /// Of one block: as many as a leader puts into one, with room to spare.
    static let commands = 1 << 15
}

/// How much an answer, a snapshot's record or a message between nodes may announce.
enum AnswerBounds {
    private static let limits = BoardLimits()

    static let jobs = max(Int(limits.pageJobs), limits.postJobs, Int(limits.claimCount))
    /// Of one frame: what fits into the bytes after which a node begins another one.
    static let events = 1 << 14
    /// Nodes of a cluster.
    static let members = 64
    /// Rows of the table of budgets.
    static let budgets = 256
    /// Blocks of one append.
    static let entries = 1 << 15
}

extension ByteReader {
    /// A text of a request that can only be short.
    mutating func name() throws(WireError) -> String {
        try string(maximum: RequestBounds.nameBytes)
    }
}

extension Request {
    /// Why no node would read this request; nil when one would. Asked before it is sent, since a node closes the connection
    /// on which such a one comes.
    package var refusal: JobboardError? {
        let name = longestName
        guard name <= RequestBounds.nameBytes else {
            return JobboardError(.invalidArgument, "a name of \(name) bytes; the longest has \(BoardLimits().nameBytes)")
        }
        guard case .write(let call, _) = self else { return nil }
        switch call.command {
        case .post(_, let jobs), .consume(_, _, let jobs):
            guard jobs.count > RequestBounds.newJobs else { return nil }
            return JobboardError(.tooLarge, "one post has at most \(BoardLimits().postJobs) jobs, not \(jobs.count)")
        case .abandon(_, _, let failure?):
            guard failure.utf8.count > RequestBounds.failureBytes else { return nil }
            return JobboardError(.tooLarge, "the text of a failure has at most \(BoardLimits().failureBytes) bytes")
        default: return nil
        }
    }

    private var longestName: Int {
        switch self {
        case .write(let call, _): call.command.longestName
        case .read(.jobs(let query), _):
            max(query.board.utf8.count, query.owner?.utf8.count ?? 0, query.name?.utf8.count ?? 0)
        case .read(.count(let board, _), _), .waitForClaimable(let board, _), .watch(let board?, _): board.utf8.count
        case .session, .read, .waitForEnd, .watch, .cancel: 0
        }
    }
}

extension Command {
    fileprivate var longestName: Int {
        switch self {
        case .openSession, .closeSession: 0
        case .post(let board, let jobs): max(board.utf8.count, jobs.longestName)
        case .claim(_, let who, _): who.utf8.count
        case .claimNext(let want): max(want.board.utf8.count, want.who.utf8.count, want.name?.utf8.count ?? 0)
        case .extend(let holder, _), .abandon(let holder, _, _): holder.who.utf8.count
        case .consume(let holder, _, let jobs): max(holder.who.utf8.count, jobs.longestName)
        }
    }
}

extension [NewJob] {
    fileprivate var longestName: Int {
        var longest = 0
        for job in self {
            longest = Swift.max(longest, job.name.utf8.count, job.key?.utf8.count ?? 0, job.book?.name.utf8.count ?? 0)
        }
        return longest
    }
}
