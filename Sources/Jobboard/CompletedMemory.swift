import DequeModule

/// Which of the jobs in slots are complete, the oldest first. They are kept for look-ups and repeated posts, without their
/// details, bounded in number and bytes; the oldest is forgotten first.
struct CompletedMemory: Sendable {
    struct Entry: Sendable {
        let slot: Int32
        let cost: Int
    }

    private(set) var ring: Deque<Entry> = []
    private(set) var bytes = 0

    var count: Int { ring.count }

    mutating func append(_ slot: Int32, _ job: Job) {
        let entry = Entry(slot: slot, cost: Self.cost(job))
        ring.append(entry)
        bytes += entry.cost
    }

    func isOver(_ limits: BoardLimits) -> Bool {
        ring.count > limits.completedJobs || bytes > limits.completedBytes
    }

    /// Takes the oldest out; the caller empties its slot.
    mutating func removeFirst() -> Int32 {
        let entry = ring.removeFirst()
        bytes -= entry.cost
        return entry.slot
    }

    /// Roughly what remembering a job takes.
    static func cost(_ job: Job) -> Int {
        guard let rare = job.rare?.values else { return 256 + job.name.utf8.count }
        let texts = (rare.key?.utf8.count ?? 0) + (rare.book?.name.utf8.count ?? 0) + (rare.lastFailure?.utf8.count ?? 0)
        return 256 + job.name.utf8.count + texts + (rare.result?.count ?? 0)
    }
}
