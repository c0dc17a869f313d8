import Jobboard
import Synchronization
import WireFormat

/// What stands at each position, by whoever told it first: all others must tell the same.
final class EventLedger: Sendable {
    private let notes: ChaosNotes
    private let digests = Mutex<[UInt64: Int]>([:])

    init(_ notes: ChaosNotes) {
        self.notes = notes
    }

    /// How many positions are known.
    var count: Int { digests.withLock { $0.count } }

    func note(_ event: Event, from source: @autoclosure () -> String) {
        var writer = JSONWriter()
        writer.write(event)
        var hasher = Hasher()
        writer.bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        let digest = hasher.finalize()
        let isSame = digests.withLock { digests in
            if let known = digests[event.position] { return known == digest }
            digests[event.position] = digest
            return true
        }
        if !isSame { notes.find("\(source()) has another event at position \(event.position): \(writer.text)") }
    }
}
