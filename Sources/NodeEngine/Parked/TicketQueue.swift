import DequeModule

/// Parked requests of one kind, first come first, by their tickets: numbers that are never used twice.
///
/// A ticket whose request is over stays until it reaches the front, or until such tickets outnumber the others: so removing
/// from the middle costs nothing. The owner knows which tickets are still live.
struct TicketQueue: Sendable {
    private var tickets: Deque<UInt64> = []
    /// Tickets whose requests still wait.
    private(set) var live = 0

    var isEmpty: Bool { live == 0 }

    mutating func append(_ ticket: UInt64) {
        tickets.append(ticket)
        live += 1
    }

    /// The first one that still waits.
    mutating func first(where isLive: (UInt64) -> Bool) -> UInt64? {
        while let first = tickets.first {
            if isLive(first) { return first }
            tickets.removeFirst()
        }
        return nil
    }

    /// One of the tickets is no longer live.
    mutating func removedOne(isLive: (UInt64) -> Bool) {
        live -= 1
        if tickets.count > 2 * live + 32 { tickets.removeAll { !isLive($0) } }
    }

    /// All that still wait, in order.
    func all(where isLive: (UInt64) -> Bool) -> [UInt64] { tickets.filter(isLive) }
}
