import Jobboard
import Synchronization
import WireFormat

/// What stands at each position, by whoever told it first: all others must tell the same.
final class EventLedger: Sendable {
    private let notes: ChaosNotes
    private let told = Mutex<[UInt64: Event]>([:])

    init(_ notes: ChaosNotes) {
        self.notes = notes
    }

    /// How many positions are known.
    var count: Int { told.withLock { $0.count } }

    /// All of them, in order.
    var events: [Event] { told.withLock { $0.values.sorted { $0.position < $1.position } } }

    func note(_ event: Event, from source: @autoclosure () -> String) {
        let first = told.withLock { told -> Event in
            if let first = told[event.position] { return first }
            told[event.position] = event
            return event
        }
        guard first != event else { return }
        notes.find("\(source()) has another event at position \(event.position): \(Self.text(event)), not \(Self.text(first))")
    }

    private static func text(_ event: Event) -> String {
        var writer = JSONWriter()
        writer.write(event)
        return writer.text
    }
}
