import Jobboard
import WireFormat

/// Writes that came before a new leader's first entry was committed, bounded in number and in encoded bytes.
struct EarlyWrites: Sendable {
    private var writes: [Write] = []
    private(set) var byteCount = 0
    /// Those that are still wanted; only looked up, never walked.
    private var clients: Set<ClientReference> = []

    var isEmpty: Bool { writes.isEmpty }
    var count: Int { writes.count }

    /// False when it does not fit. A second one with the number of one that is open is dropped.
    mutating func add(_ write: Write, maxCount: Int, maxBytes: Int) -> Bool {
        guard writes.count < maxCount else { return false }
        var size = ByteWriter()
        CommandCodec.append(write.call, to: &size)
        guard byteCount + size.bytes.count <= maxBytes else { return false }
        guard clients.insert(write.client).inserted else { return true }
        byteCount += size.bytes.count
        writes.append(write)
        return true
    }

    mutating func cancel(_ client: ClientReference) { clients.remove(client) }

    /// In the order of their arrival, without those that were cancelled.
    mutating func removeAll() -> [Write] {
        defer { self = EarlyWrites() }
        return writes.filter { clients.contains($0.client) }
    }
}
