/// A moment at which something must happen by itself.
struct Timer: Sendable, Comparable {
    /// In the order in which they are served when due at the same moment.
    enum Kind: UInt8, Sendable {
        case lease = 0
        case delay = 1
        case expiry = 2
        case session = 3
    }

    /// Milliseconds; may be earlier than the true end, see `Timers`.
    var deadline: Int64
    let kind: Kind
    /// The job's posting position, or the session's number: who is meant, for good.
    let position: UInt64
    /// Where to find it, as long as it is there.
    let slot: Int32

    /// Stands for "no timer" where a deadline is kept.
    static let none = Int64.max

    static func < (left: Timer, right: Timer) -> Bool {
        if left.deadline != right.deadline { return left.deadline < right.deadline }
        return (left.kind.rawValue, left.position) < (right.kind.rawValue, right.position)
    }
}

/// All timers in one heap on log time.
///
/// A deadline that moves back (a lease extended, a session used) costs nothing: its owner remembers for which deadline the
/// timer is armed, and when the timer comes to the top it is moved to the true end. A timer whose owner is gone, or is armed
/// for another deadline, is stale: it is dropped at the top, or with all stale ones when they are the majority.
struct Timers: Sendable {
    private(set) var heap = PagedHeap<Timer>()
    /// Stale timers in the heap.
    private(set) var stale = 0

    var first: Timer? { heap.min }
    var count: Int { heap.count }

    mutating func insert(_ timer: Timer) {
        heap.insert(timer)
    }

    mutating func removeFirst(stale wasStale: Bool) {
        heap.popMin()
        if wasStale, stale > 0 { stale -= 1 }
    }

    mutating func moveFirst(to deadline: Int64) {
        guard var timer = heap.min else { return }
        timer.deadline = deadline
        heap.replaceMin(with: timer)
    }

    mutating func becameStale(_ count: Int) {
        stale += count
    }

    var wantsCompaction: Bool { stale > 64 && stale > heap.count / 2 }

    mutating func replace(with timers: [Timer]) {
        heap = PagedHeap(timers)
        stale = 0
    }
}
