import NIOConcurrencyHelpers
import NIOCore

/// What callers on any thread leave for the client's event loop. The first item after a quiet moment schedules one task there,
/// which takes all that has gathered by then: the busier the callers, the fewer wake-ups and flushes a call costs.
final class Outbox: Sendable {
    typealias Waiter = CallContinuation

    enum Item: Sendable {
        case call(Work, timeout: Int64, ticket: UInt64, Waiter)
        case cancel(ticket: UInt64)
        /// Closes the client; nil when nobody waits for that.
        case close(CheckedContinuation<Void, Never>?)
    }

    private struct Contents {
        var items: [Item] = []
        var scheduled = false
        var lastTicket: UInt64 = 0
    }

    private let contents = NIOLockedValueBox(Contents())
    private let wake: @Sendable (Outbox) -> Void

    /// - Parameter wake: makes the event loop call `takeAll` soon.
    init(wake: @escaping @Sendable (Outbox) -> Void) {
        self.wake = wake
    }

    func file(_ item: Item) {
        let first = contents.withLockedValue { contents in
            contents.items.append(item)
            defer { contents.scheduled = true }
            return !contents.scheduled
        }
        if first { wake(self) }
    }

    /// A name for cancelling a call.
    func newTicket() -> UInt64 {
        contents.withLockedValue { contents in
            contents.lastTicket += 1
            return contents.lastTicket
        }
    }

    /// Everything filed so far, in order. `emptied` is handed over to gather what comes next, to keep its memory in use.
    func takeAll(for emptied: [Item]) -> [Item] {
        contents.withLockedValue { contents in
            contents.scheduled = false
            var items = emptied
            swap(&items, &contents.items)
            return items
        }
    }
}
