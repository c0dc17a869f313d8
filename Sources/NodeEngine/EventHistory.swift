import DequeModule
package import Jobboard

/// The last events, so that a watcher that lost its connection can go on where it was.
package struct EventHistory: Sendable {
    private var events: Deque<Event> = []
    private let capacity: Int
    private var bytes = 0
    /// The same in bytes: failures may say much.
    private static let capacityInBytes = 64 << 20
    /// The position that the next event will have.
    package private(set) var nextPosition: UInt64 = 1

    package init(capacity: Int) {
        precondition(capacity > 0, "a history remembers something")
        self.capacity = capacity
    }

    /// The oldest position that can still be told.
    package var oldest: UInt64 { nextPosition - UInt64(events.count) }

    package mutating func append(_ new: [Event]) {
        for event in new {
            precondition(event.position == nextPosition, "event \(event.position) came in place of \(nextPosition)")
            nextPosition += 1
            events.append(event)
            bytes += event.byteCount
        }
        while events.count > capacity || bytes > Self.capacityInBytes, let first = events.popFirst() { bytes -= first.byteCount }
    }

    /// The events from `position` on; nil when some of them are forgotten.
    package func events(from position: UInt64) -> [Event]? {
        guard position >= oldest else { return nil }
        guard position < nextPosition else { return [] }
        return Array(events[Int(position - oldest)...])
    }
}

extension Event {
    /// About what it takes on a wire.
    var byteCount: Int { 80 + board.utf8.count + name.utf8.count + (owner?.utf8.count ?? 0) + (failure?.utf8.count ?? 0) }
}
