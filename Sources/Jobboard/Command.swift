/// What somebody asks to be put on a board. Durations are relative to the log time at which the post is applied.
public struct NewJob: Sendable, Equatable {
    /// The job's identity; a second post with the same one and the same content has no effect.
    public var id: JobID
    /// Its name: 1 to 255 bytes.
    public var name: String
    /// JSON text, at most 256 KiB; empty for none.
    public var details: [UInt8]
    /// How urgent it is.
    public var priority: Priority
    /// A logbook reference.
    public var book: Book?
    /// While a job with this key lives on the board, another post with the key answers that job.
    public var key: String?
    /// Not claimable before this moment.
    public var notBefore: Timestamp?
    /// Not claimable for this long; wins over `notBefore`.
    public var delayMilliseconds: UInt64?
    /// Dropped when still unclaimed after this long.
    public var expiresAfterMilliseconds: UInt64?
    /// The lease a claim gets when it names none.
    public var leaseMilliseconds: UInt32?
    /// Trashed after this many failures.
    public var maxFailures: UInt32?

    /// Trashed after so many claims whose lease ended, 0 for never; nil for `defaultMaxLostClaims`.
    public var maxLostClaims: UInt32?

    /// So many lost claims trash a job that does not say how many may: a job that kills its workers must not be retried without end.
    public static let defaultMaxLostClaims: UInt32 = 16

    /// A job with a name; everything else can be set afterwards.
    public init(id: JobID = .random(), name: String, details: [UInt8] = [], priority: Priority = .normal) {
        self.id = id
        self.name = name
        self.details = details
        self.priority = priority
    }
}

/// What goes into the log: everything that can change a board.
///
/// A new operation starts with a case here, then a rule in `BoardMachine`, its tag in the codec,
/// a client method, a subcommand and a test.
package enum Command: Sendable, Equatable {
    /// Begins a session; it lives until `ttl` of log time has passed without a command under it. One that has the key
    /// already is that session.
    case openSession(SessionKey, ttlMilliseconds: UInt32)
    case closeSession
    /// All or none.
    case post(board: String, jobs: [NewJob])
    case claim(job: JobID, who: String, leaseMilliseconds: UInt32?)
    case claimNext(ClaimNext)
    case extend(Holder, leaseMilliseconds: UInt32?)
    case abandon(Holder, delayMilliseconds: UInt64?, failure: String?)
    case consume(Holder, result: [UInt8]?, followUps: [NewJob])
}

/// Which of the claimable jobs of a board somebody wants.
package struct ClaimNext: Sendable, Equatable {
    package var board: String
    package var who: String
    /// At most this many, at least one.
    package var count: UInt32
    package var leaseMilliseconds: UInt32?
    /// Only these; empty means all.
    package var priorities: Priorities
    /// Only jobs of this name.
    package var name: String?

    package init(
        board: String, who: String, count: UInt32 = 1, leaseMilliseconds: UInt32? = nil, priorities: Priorities = [],
        name: String? = nil
    ) {
        self.board = board
        self.who = who
        self.count = count
        self.leaseMilliseconds = leaseMilliseconds
        self.priorities = priorities
        self.name = name
    }
}

/// Somebody who says that a job is theirs: refused unless `who` made the current claim, and `fence`, when given, is its fence.
package struct Holder: Sendable, Equatable {
    package var job: JobID
    package var who: String
    package var fence: UInt64?

    package init(job: JobID, who: String, fence: UInt64? = nil) {
        self.job = job
        self.who = who
        self.fence = fence
    }
}

/// A command with the request numbers that make its retry safe.
package struct SessionCommand: Sendable, Equatable {
    /// The session, from an earlier `openSession`; 0 for none (`openSession` itself).
    package var session: UInt64
    /// Grows by one for each new command of the session, from 1; a retry repeats it.
    package var sequence: UInt64
    /// The client has the answer to every sequence number below this one, so they may be forgotten.
    package var acknowledgedBelow: UInt64
    package var command: Command

    package init(session: UInt64, sequence: UInt64, acknowledgedBelow: UInt64, command: Command) {
        self.session = session
        self.sequence = sequence
        self.acknowledgedBelow = acknowledgedBelow
        self.command = command
    }
}
