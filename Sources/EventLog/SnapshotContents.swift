package import Consensus

/// A snapshot's table of contents. Its digest names the snapshot: the same state gives the same one on every node,
/// whatever its compression gave.
///
///     0   magic "snap"   8   cluster        72  chunks   80  bytes of all chunks
///     4   format         16  last entry     76  bytes of each chunk but the last   88  for each chunk its digest (16) and length (4)
package struct SnapshotContents: Sendable, Equatable {
    package struct Chunk: Sendable, Equatable {
        /// Of the bytes before compression.
        package var digest: Digest
        /// In bytes before compression.
        package var length: UInt32
    }

    package static let usualChunkBytes = 256 << 10
    package static let possibleChunkBytes = 256...1 << 20
    private static let magic: UInt32 = 0x7061_6e73
    private static let format: UInt32 = 1
    private static let headBytes = 88
    private static let chunkEntryBytes = 20

    package let cluster: UInt64
    /// The last entry that it holds the effects of.
    package let last: EntrySummary
    /// Of every chunk but the last, in bytes before compression.
    package let chunkBytes: Int
    package let chunks: [Chunk]

    package var byteCount: UInt64 { chunks.reduce(0) { $0 + UInt64($1.length) } }

    package var reference: SnapshotReference {
        SnapshotReference(last: last, digest: encoded().withUnsafeBytes { Hashing.digest($0) })
    }

    package init(cluster: UInt64, last: EntrySummary, chunkBytes: Int, chunks: [Chunk]) {
        precondition(Self.possibleChunkBytes.contains(chunkBytes), "chunks of \(chunkBytes) bytes")
        self.cluster = cluster
        self.last = last
        self.chunkBytes = chunkBytes
        self.chunks = chunks
    }

    /// How many chunks a table of this length lists.
    static func chunkCount(tableBytes: Int) -> Int? {
        let entries = tableBytes - headBytes
        return entries >= 0 && entries % chunkEntryBytes == 0 ? entries / chunkEntryBytes : nil
    }

    package func encoded() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.headBytes + chunks.count * Self.chunkEntryBytes)
        bytes.withUnsafeMutableBytes { bytes in
            bytes.put(Self.magic, at: 0)
            bytes.put(Self.format, at: 4)
            bytes.put(cluster, at: 8)
            last.write(to: bytes, at: 16)
            bytes.put(UInt32(chunks.count), at: 72)
            bytes.put(UInt32(chunkBytes), at: 76)
            bytes.put(byteCount, at: 80)
            for (place, chunk) in chunks.enumerated() {
                bytes.put(chunk.digest, at: Self.headBytes + place * Self.chunkEntryBytes)
                bytes.put(chunk.length, at: Self.headBytes + place * Self.chunkEntryBytes + 16)
            }
        }
        return bytes
    }

    /// The format of a table that this version does not know; nil of those that it knows, and of other bytes.
    static func newerFormat(_ encoded: some Collection<UInt8>) -> UInt32? {
        Array(encoded.prefix(8)).withUnsafeBytes { bytes -> UInt32? in
            guard bytes.count == 8, bytes.integer(at: 0) == magic, bytes.integer(at: 4) != format else { return nil }
            return bytes.integer(at: 4)
        }
    }

    /// Nil for bytes that are no table. Total on garbage.
    package init?(_ encoded: [UInt8]) {
        let found: SnapshotContents? = encoded.withUnsafeBytes { bytes in
            guard bytes.count >= Self.headBytes, bytes.integer(at: 0) == Self.magic, bytes.integer(at: 4) == Self.format else {
                return nil
            }
            let count = Int(bytes.integer(at: 72, as: UInt32.self))
            guard bytes.count == Self.headBytes + count * Self.chunkEntryBytes, let last = EntrySummary(bytes, at: 16) else {
                return nil
            }
            let chunks = (0..<count).map { place in
                let offset = Self.headBytes + place * Self.chunkEntryBytes
                return Chunk(digest: bytes.digest(at: offset), length: bytes.integer(at: offset + 16))
            }
            let chunkBytes = Int(bytes.integer(at: 76, as: UInt32.self))
            guard Self.possibleChunkBytes.contains(chunkBytes) else { return nil }
            let contents = SnapshotContents(
                cluster: bytes.integer(at: 8), last: last, chunkBytes: chunkBytes, chunks: chunks)
            // All chunks but the last are full, so a chunk's number tells its place.
            let wellFormed = chunks.enumerated().allSatisfy { place, chunk in
                place == count - 1 ? (1...chunkBytes).contains(Int(chunk.length)) : Int(chunk.length) == chunkBytes
            }
            guard wellFormed, contents.byteCount == bytes.integer(at: 80) else { return nil }
            return contents
        }
        guard let found, found.encoded() == encoded else { return nil }
        self = found
    }
}
