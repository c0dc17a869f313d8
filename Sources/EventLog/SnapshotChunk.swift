/// A piece of a snapshot as it lies on a disk or travels: compressed where that saves anything.
enum SnapshotChunk {
    static func stored(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
        Compression.withCompressed(raw, limit: raw.count - 1) { Array($0 ?? raw) }
    }

    /// What was stored, or nil when that is not what the table of contents names. Total on garbage.
    static func raw(_ stored: UnsafeRawBufferPointer, _ chunk: SnapshotContents.Chunk) -> [UInt8]? {
        let count = Int(chunk.length)
        guard count <= SnapshotContents.possibleChunkBytes.upperBound, stored.count <= count else { return nil }
        if stored.count == count {
            return Hashing.digest(stored) == chunk.digest ? Array(stored) : nil
        }
        var whole = false
        let raw = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            whole = Compression.decompress(stored, into: UnsafeMutableRawBufferPointer(buffer))
            initialized = whole ? count : 0
        }
        guard whole, raw.withUnsafeBytes({ Hashing.digest($0) }) == chunk.digest else { return nil }
        return raw
    }
}
