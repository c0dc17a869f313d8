/// The states of a job.
public enum JobState: UInt8, Sendable, CaseIterable {
    /// On the board, nobody owns it. A job whose `notBefore` is still ahead is unclaimed too, and not yet claimable.
    case unclaimed = 0
    /// One owner has it, until it is consumed, given back, or its lease runs out.
    case claimed = 1
    /// Consumed: off the board for good.
    case complete = 2
    /// Off the board, kept until it is restored or purged.
    case trashed = 3

    /// The word used on every surface, such as `UNCLAIMED`.
    public var word: String {
        switch self {
        case .unclaimed: "UNCLAIMED"
        case .claimed: "CLAIMED"
        case .complete: "COMPLETE"
        case .trashed: "TRASHED"
        }
    }

    /// The state that a word names; case matters.
    public init?(word: some StringProtocol) {
        guard let state = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = state
    }
}

/// How urgent a job is. Iteration and claims go by priority, then by posting order.
public enum Priority: UInt8, Sendable, CaseIterable, Comparable {
    /// Before all others.
    case veryHigh = 0
    /// Before normal.
    case high = 1
    /// What a job has when nobody says otherwise.
    case normal = 2
    /// After normal.
    case low = 3
    /// After all others.
    case veryLow = 4

    /// The word used on every surface, such as `VERY_HIGH`.
    public var word: String {
        switch self {
        case .veryHigh: "VERY_HIGH"
        case .high: "HIGH"
        case .normal: "NORMAL"
        case .low: "LOW"
        case .veryLow: "VERY_LOW"
        }
    }

    /// The priority that a word names; case matters.
    public init?(word: some StringProtocol) {
        guard let priority = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = priority
    }

    /// The more urgent comes first.
    public static func < (left: Priority, right: Priority) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// The logbook that a job points to: a reference that the board keeps and does not open.
public struct Book: Hashable, Sendable {
    /// The logbook's own identity.
    public var uuid: JobID
    /// Its name, for people.
    public var name: String

    /// A reference to a logbook.
    public init(uuid: JobID, name: String) {
        self.uuid = uuid
        self.name = name
    }
}
