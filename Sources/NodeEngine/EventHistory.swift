import DequeModule
package import Jobboard

/// The last events, so that a watcher that lost its connection can go on where it was.
package struct EventHistory: Sendable {
    private var events: Deque<Event> = []
    private let capacity: Int
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
        }
        if events.count > capacity { events.removeFirst(events.count - capacity) }
    }

    /// The events from `position` on; nil when some of them are forgotten.
    package func events(from position: UInt64) -> [Event]? {
        guard position >= oldest else { return nil }
        guard position < nextPosition else { return [] }
        return Array(events[Int(position - oldest)...])
    }
}
