/// What a command came to.
package enum Outcome: Sendable, Equatable {
    case sessionOpened(UInt64)
    case sessionClosed
    /// In the order of the post; `duplicates[i]` when job i was there before.
    case posted([Job], duplicates: [Bool])
    /// What was claimed, in claim order; empty when nothing was claimable.
    case claimed([Job])
    /// The job as it stands after an extend, an abandon or a consume.
    case changed(Job)
    case refused(JobboardError)
}

extension Outcome {
    /// About what it takes in an answer.
    package var answerBytes: Int {
        switch self {
        case .sessionOpened, .sessionClosed, .refused: 256
        case .posted(let jobs, _), .claimed(let jobs): jobs.reduce(64) { $0 + $1.answerBytes }
        case .changed(let job): job.answerBytes
        }
    }
}

/// The kinds of event. The raw values are the tags of the wire and of the log.
public enum EventKind: UInt8, Sendable, CaseIterable {
    /// A job came onto the board.
    case posted = 1
    /// Somebody claimed it.
    case claimed = 2
    /// Its owner prolonged the lease.
    case extended = 3
    /// Its owner gave it back.
    case abandoned = 4
    /// Its owner gave it back as a failure.
    case failed = 5
    /// Its owner fell silent; it is claimable again.
    case leaseExpired = 6
    /// Done, and off the board for good.
    case consumed = 7
    /// Off the board, kept aside.
    case trashed = 8
    /// Back on the board.
    case restored = 9
    /// Forgotten.
    case purged = 10
    /// Its board stopped claiming.
    case paused = 11
    /// Its board allows claims again.
    case resumed = 12

    /// The word used on every surface, such as `LEASE_EXPIRED`.
    public var word: String {
        switch self {
        case .posted: "POSTED"
        case .claimed: "CLAIMED"
        case .extended: "EXTENDED"
        case .abandoned: "ABANDONED"
        case .failed: "FAILED"
        case .leaseExpired: "LEASE_EXPIRED"
        case .consumed: "CONSUMED"
        case .trashed: "TRASHED"
        case .restored: "RESTORED"
        case .purged: "PURGED"
        case .paused: "PAUSED"
        case .resumed: "RESUMED"
        }
    }
}

/// One thing that happened to a job, at one position of the log.
public struct Event: Sendable, Equatable {
    /// Grows by one an event over all boards, without gaps.
    public let position: UInt64
    /// What happened.
    public let kind: EventKind
    /// When, in log time.
    public let time: Timestamp
    /// On which board.
    public let board: String
    /// To which job.
    public let job: JobID
    /// The job's name.
    public let name: String
    /// Who did it or lost it, where somebody owned the job.
    public let owner: String?
    /// The fence of the claim concerned.
    public let fence: UInt64?
    /// What a failure said.
    public let failure: String?

    package init(
        position: UInt64, kind: EventKind, time: Timestamp, board: String, job: JobID, name: String, owner: String? = nil,
        fence: UInt64? = nil, failure: String? = nil
    ) {
        self.position = position
        self.kind = kind
        self.time = time
        self.board = board
        self.job = job
        self.name = name
        self.owner = owner
        self.fence = fence
        self.failure = failure
    }
}
