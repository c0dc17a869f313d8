import Consensus
import Crypto

/// Hashes candidates that differ from one another in their later parts alone, and hashes their common beginnings once.
struct ResumableHash {
    /// The hash of the bytes before each place, in order.
    private var states: [(place: Int, hash: SHA256)] = [(0, SHA256())]

    /// `changedFrom`: up to there the bytes are those of the call before.
    mutating func digest(of bytes: [UInt8], changedFrom: Int) -> Consensus.Digest {
        while let last = states.last, last.place > changedFrom { states.removeLast() }
        return bytes.withUnsafeBytes { bytes in
            var (place, hash) = states[states.count - 1]
            if place < changedFrom {
                hash.update(bufferPointer: bytes.part(place..<changedFrom))
                place = changedFrom
                states.append((place, hash))
            }
            hash.update(bufferPointer: bytes.part(place..<bytes.count))
            return hash.finalize().withUnsafeBytes { $0.digest(at: 0) }
        }
    }
}
