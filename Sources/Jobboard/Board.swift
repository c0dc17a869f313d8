/// How many jobs are in each state.
struct StateCounts: Sendable, Equatable {
    var unclaimed = 0
    var claimed = 0
    /// All that were ever consumed, remembered or not.
    var complete = 0
    var trashed = 0

    subscript(state: JobState) -> Int {
        get {
            switch state {
            case .unclaimed: unclaimed
            case .claimed: claimed
            case .complete: complete
            case .trashed: trashed
            }
        }
        set {
            switch state {
            case .unclaimed: unclaimed = newValue
            case .claimed: claimed = newValue
            case .complete: complete = newValue
            case .trashed: trashed = newValue
            }
        }
    }
}

extension StateCounts {
    /// Counts a job in another state than before, or a new one.
    mutating func move(from old: JobState?, to new: JobState) {
        if let old { self[old] -= 1 }
        self[new] += 1
    }
}

/// What is known of a board besides its jobs and their orders.
struct Board: Sendable {
    let name: String
    var counts = StateCounts()
    /// Complete jobs that are still remembered.
    var remembered = 0
    /// Jobs that can be claimed now.
    var ready = 0
    /// The ready jobs by name, from the first claim on that asked for one.
    var names: NameIndex?

    init(name: String) {
        self.name = name
    }

    /// Nothing is left but the count of its complete jobs.
    var isEmpty: Bool { remembered == 0 && counts.unclaimed == 0 && counts.claimed == 0 && counts.trashed == 0 }

    /// What an unused index holds; no board has an empty name.
    static let vacant = Board(name: "")

    var hasNames: Bool { names != nil }
}

/// The orders of the jobs of one board and priority.
struct Lane: Sendable {
    var ready = ReadyQueue()
    var onBoard = PostingOrder(.onBoard)
    var trash = PostingOrder(.trash)
    var complete = PostingOrder(.complete)
}
