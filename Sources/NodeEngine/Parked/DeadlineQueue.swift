import HeapModule

/// When parked requests have waited long enough, by ticket. Entries of requests that are over stay until they are due, or
/// until they outnumber the others: so a cancelled request costs no search.
struct DeadlineQueue: Sendable {
    private struct Entry: Comparable, Sendable {
        var deadline: UInt64
        var ticket: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            (left.deadline, left.ticket) < (right.deadline, right.ticket)
        }
    }

    private var heap = Heap<Entry>()

    mutating func insert(_ ticket: UInt64, deadline: UInt64) { heap.insert(Entry(deadline: deadline, ticket: ticket)) }

    func hasDue(at now: UInt64) -> Bool { heap.min.map { $0.deadline <= now } ?? false }

    /// The next ticket that is due; its request may be over.
    mutating func popDue(at now: UInt64) -> UInt64? { hasDue(at: now) ? heap.popMin()?.ticket : nil }

    /// After a removal: `live` requests are left.
    mutating func compact(live: Int, isLive: (UInt64) -> Bool) {
        guard heap.count > 2 * live + 64 else { return }
        heap = Heap(heap.unordered.filter { isLive($0.ticket) })
    }
}
