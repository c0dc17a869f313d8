/// Which jobs to list, and from where on.
public struct JobsQuery: Sendable, Equatable {
    /// The board to list.
    public var board: String
    /// Only jobs in these states; empty means those on the board (unclaimed and claimed).
    public var states: JobStates
    /// Only jobs held by this owner.
    public var owner: String?
    /// Only jobs of this name.
    public var name: String?
    /// At most this many, 1 to 10,000.
    public var limit: UInt32
    /// Where the page before ended.
    public var cursor: Cursor?

    /// A listing of a board.
    public init(
        board: String, states: JobStates = [], owner: String? = nil, name: String? = nil, limit: UInt32 = 100,
        cursor: Cursor? = nil
    ) {
        self.board = board
        self.states = states
        self.owner = owner
        self.name = name
        self.limit = limit
        self.cursor = cursor
    }

    /// A place in the order of a listing: after the job with this priority and posting position.
    public struct Cursor: Sendable, Equatable {
        package let priority: Priority
        package let position: UInt64

        package init(priority: Priority, position: UInt64) {
            self.priority = priority
            self.position = position
        }

        /// Text to hand to people and back, such as `2-812`.
        public var text: String { "\(priority.rawValue)-\(position)" }

        /// Reads the text form; anything else is nil.
        public init?(text: some StringProtocol) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let raw = UInt8(parts[0]), let priority = Priority(rawValue: raw),
                let position = UInt64(parts[1])
            else { return nil }
            self.init(priority: priority, position: position)
        }
    }
}

/// One page of a listing.
public struct JobsPage: Sendable, Equatable {
    /// The jobs, by priority and then posting order; perhaps fewer than the limit, or none, even when there are more.
    public var jobs: [Job]
    /// Where to go on, when there may be more.
    public var cursor: JobsQuery.Cursor?
    /// The position of the last event that the answering node had applied.
    public var position: UInt64

    /// A page.
    public init(jobs: [Job], cursor: JobsQuery.Cursor?, position: UInt64) {
        self.jobs = jobs
        self.cursor = cursor
        self.position = position
    }
}
