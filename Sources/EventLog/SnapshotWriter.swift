package import Consensus

/// Writes one snapshot: chunks as they come, then the table of contents. It gets its name once all is durable, so a
/// snapshot that has its name was whole.
///
/// The file: the stored chunks, the table (`SnapshotContents`), the stored length of each chunk (4 bytes), and a tail:
///
///     0  magic "snpe"   4  bytes of the table   8  digest of the table and the lengths
package final class SnapshotWriter {
    static let tailBytes = 24
    static let tailMagic: UInt32 = 0x6570_6e73
    /// So much is written at once; a sync of little at a time keeps the log's own syncs short.
    private static let syncBytes: UInt64 = 4 << 20

    private let disk: any Disk
    private let name: String
    private let file: FileID
    private let cluster: UInt64
    private let last: EntrySummary
    private let chunkBytes: Int
    private var chunks: [SnapshotContents.Chunk] = []
    private var storedLengths: [UInt32] = []
    private var pending: [UInt8] = []
    private var offset: UInt64 = 0
    private var synced: UInt64 = 0

    /// Begins a snapshot of everything up to `last`. Throws `disk` or `noSpace`.
    package convenience init(
        on disk: any Disk, cluster: UInt64, last: EntrySummary, chunkBytes: Int = SnapshotContents.usualChunkBytes
    ) throws(EventLogError) {
        try self.init(on: disk, cluster: cluster, last: last, chunkBytes: chunkBytes, writingTo: FileNames.newSnapshot)
    }

    /// `name`: of the file until it is whole; two that are written at the same time need two.
    init(
        on disk: any Disk, cluster: UInt64, last: EntrySummary, chunkBytes: Int, writingTo name: String
    ) throws(EventLogError) {
        self.chunkBytes = chunkBytes
        self.name = name
        self.disk = disk
        self.cluster = cluster
        self.last = last
        do {
            if try disk.list().contains(name) { try disk.remove(name) }
            file = try disk.open(name, create: true)
        } catch {
            throw EventLogError(error)
        }
    }

    /// Takes the next bytes, as many as the caller likes.
    package func add(_ bytes: [UInt8]) throws(EventLogError) {
        pending += bytes
        var taken = 0
        while pending.count - taken >= chunkBytes {
            try write(taken..<taken + chunkBytes)
            taken += chunkBytes
        }
        pending.removeFirst(taken)
    }

    /// Makes the snapshot durable under its name; one of the same name is replaced.
    package func finish() throws(EventLogError) -> SnapshotReference {
        if !pending.isEmpty { try write(0..<pending.count) }
        let contents = SnapshotContents(cluster: cluster, last: last, chunkBytes: chunkBytes, chunks: chunks)
        do {
            try disk.write(file, at: offset, Self.end(contents, storedLengths))
            try disk.sync(file)
            disk.close(file)
            try disk.rename(name, to: FileNames.snapshot(last.index))
            try disk.syncFolder()
        } catch {
            throw EventLogError(error)
        }
        return contents.reference
    }

    /// Gives up; what was written goes.
    package func cancel() {
        disk.close(file)
        try? disk.remove(name)
    }

    private func write(_ range: Range<Int>) throws(EventLogError) {
        let (digest, stored) = pending.withUnsafeBytes { bytes in
            (Hashing.digest(bytes.part(range)), SnapshotChunk.stored(bytes.part(range)))
        }
        do {
            try disk.write(file, at: offset, stored)
            offset += UInt64(stored.count)
            if offset - synced >= Self.syncBytes {
                try disk.sync(file)
                synced = offset
            }
        } catch {
            throw EventLogError(error)
        }
        chunks.append(SnapshotContents.Chunk(digest: digest, length: UInt32(range.count)))
        storedLengths.append(UInt32(stored.count))
    }

    /// Everything behind the chunks.
    private static func end(_ contents: SnapshotContents, _ storedLengths: [UInt32]) -> [UInt8] {
        let table = contents.encoded()
        var bytes = table + [UInt8](repeating: 0, count: 4 * storedLengths.count + tailBytes)
        bytes.withUnsafeMutableBytes { bytes in
            for (place, length) in storedLengths.enumerated() { bytes.put(length, at: table.count + 4 * place) }
            let tail = bytes.count - tailBytes
            bytes.put(tailMagic, at: tail)
            bytes.put(UInt32(table.count), at: tail + 4)
            bytes.put(Hashing.digest(bytes.part(0..<tail)), at: tail + 8)
        }
        return bytes
    }
}
