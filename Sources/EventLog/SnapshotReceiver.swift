package import Consensus

/// Takes in a snapshot chunk by chunk, in any order and over restarts: what is on disk already is found by its digests.
///
/// Chunks lie uncompressed at their places in a file of its own. When none is missing they are written once more as a
/// snapshot, by `SnapshotWriter`, which makes the same one of the same bytes.
package final class SnapshotReceiver {
    package let contents: SnapshotContents
    /// The numbers of the chunks that are not here, in order.
    package private(set) var missing: [UInt32]
    private let disk: any Disk
    private let file: FileID
    private var name: String { FileNames.partialSnapshot(contents.last.index) }

    /// Goes on where an earlier attempt ended.
    package init(on disk: any Disk, contents: SnapshotContents) throws(EventLogError) {
        self.disk = disk
        self.contents = contents
        do {
            for other in try disk.list() {
                if let index = FileNames.partialSnapshotIndex(other), index != contents.last.index { try disk.remove(other) }
            }
            file = try disk.open(FileNames.partialSnapshot(contents.last.index), create: true)
            missing = []
            for (number, chunk) in contents.chunks.enumerated() {
                let bytes = try disk.read(file, at: Self.offset(number, contents), count: Int(chunk.length))
                let isHere = bytes.count == Int(chunk.length) && bytes.withUnsafeBytes { Hashing.digest($0) } == chunk.digest
                if !isHere { missing.append(UInt32(number)) }
            }
        } catch {
            throw EventLogError(error)
        }
    }

    private static func offset(_ number: Int, _ contents: SnapshotContents) -> UInt64 {
        UInt64(number) * UInt64(contents.chunkBytes)
    }

    /// Takes a chunk as a peer stores it. False when it is not the one that the table names.
    package func put(_ stored: [UInt8], number: UInt32) throws(EventLogError) -> Bool {
        guard number < contents.chunks.count else { return false }
        guard let raw = stored.withUnsafeBytes({ SnapshotChunk.raw($0, contents.chunks[Int(number)]) }) else { return false }
        guard let place = missing.firstIndex(of: number) else { return true }
        do {
            try disk.write(file, at: Self.offset(Int(number), contents), raw)
        } catch {
            throw EventLogError(error)
        }
        missing.remove(at: place)
        return true
    }

    /// All chunks are here: makes the snapshot durable and gives its name.
    ///
    /// Throws `damaged` when what was written can't be read again; the next attempt fetches what is missing.
    package func finish() throws(EventLogError) -> SnapshotReference {
        precondition(missing.isEmpty, "chunks are missing")
        let writer = try SnapshotWriter(
            on: disk, cluster: contents.cluster, last: contents.last, chunkBytes: contents.chunkBytes,
            writingTo: FileNames.fetchedSnapshot)
        let made: SnapshotReference
        do {
            for (number, chunk) in contents.chunks.enumerated() {
                try writer.add(try disk.read(file, at: Self.offset(number, contents), count: Int(chunk.length)))
            }
            made = try writer.finish()
        } catch {
            // A full disk needs the space back for the next attempt.
            writer.cancel()
            if let error = error as? DiskError { throw EventLogError(error) }
            guard let error = error as? EventLogError else { preconditionFailure("\(error)") }
            throw error
        }
        guard made == contents.reference else {
            throw EventLogError(.damaged, "\(name): what was fetched can't be read again")
        }
        close()
        do {
            try disk.remove(name)
            try disk.syncFolder()
        } catch {
            throw EventLogError(error)
        }
        return made
    }

    package func close() { disk.close(file) }
}
