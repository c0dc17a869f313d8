import DequeModule
package import Jobboard

/// The last events, so that a watcher that lost its connection can go on where it was. Held in pages, so that the first
/// write after a copy (a snapshot's view) copies one page.
package struct EventHistory: Sendable {
    private static let pageEvents: UInt64 = 256
    /// The same in bytes: failures may say much.
    private static let capacityInBytes = 64 << 20

    /// All full but the last one; the first one may begin with events that are forgotten.
    private var pages: Deque<ContiguousArray<Event>> = []
    /// The position of the first event of the first page.
    private var firstPosition: UInt64
    private let capacity: Int
    /// What its events count for, in bytes: at least as many as they take in a snapshot.
    package private(set) var bytes = 0
    /// The oldest position that can still be told.
    package private(set) var oldest: UInt64
    /// The position that the next event will have.
    package private(set) var nextPosition: UInt64

    package init(capacity: Int, nextPosition: UInt64 = 1) {
        precondition(capacity > 0, "a history remembers something")
        self.capacity = capacity
        self.nextPosition = nextPosition
        oldest = nextPosition
        firstPosition = nextPosition
    }

    /// Events that can still be told.
    package var count: Int { Int(nextPosition - oldest) }

    /// The event at a position that can still be told.
    package subscript(position: UInt64) -> Event {
        let place = position - firstPosition
        return pages[Int(place / Self.pageEvents)][Int(place % Self.pageEvents)]
    }

    package mutating func append(_ new: [Event]) {
        for event in new { append(event) }
        forgetOldest()
    }

    private mutating func append(_ event: Event) {
        precondition(event.position == nextPosition, "event \(event.position) came in place of \(nextPosition)")
        if (nextPosition - firstPosition).isMultiple(of: Self.pageEvents) {
            pages.append([])
            pages[pages.count - 1].reserveCapacity(Int(Self.pageEvents))
        }
        pages[pages.count - 1].append(event)
        nextPosition += 1
        bytes += event.byteCount
    }

    private mutating func forgetOldest() {
        while count > capacity || bytes > Self.capacityInBytes {
            bytes -= self[oldest].byteCount
            oldest += 1
        }
        while oldest - firstPosition >= Self.pageEvents {
            pages.removeFirst()
            firstPosition += Self.pageEvents
        }
    }

    /// The events from `position` on; nil when some of them are forgotten.
    package func events(from position: UInt64) -> [Event]? {
        guard position >= oldest else { return nil }
        guard position < nextPosition else { return [] }
        return (position..<nextPosition).map { self[$0] }
    }
}

extension Event {
    /// About what it takes on a wire.
    package var byteCount: Int { 80 + board.utf8.count + name.utf8.count + (owner?.utf8.count ?? 0) + (failure?.utf8.count ?? 0) }
}
