package import Consensus

/// A snapshot on disk, open for reading. Every chunk is verified when it is read.
package final class SnapshotFile {
    package let contents: SnapshotContents
    private let disk: any Disk
    private let file: FileID
    private let name: String
    /// Where each chunk begins, and where the last one ends.
    private let offsets: [UInt64]

    /// Throws `damaged` when the table of contents can't be read, `notInLog` when there is no such snapshot.
    package init(on disk: any Disk, index: LogIndex, cluster: UInt64) throws(EventLogError) {
        self.disk = disk
        name = FileNames.snapshot(index)
        do {
            file = try disk.open(name, create: false)
        } catch  where error.reason == .notFound {
            throw EventLogError(.notInLog, "there is no \(name)")
        } catch {
            throw EventLogError(error)
        }
        do throws(EventLogError) {
            (contents, offsets) = try Self.readEnd(of: file, named: name, on: disk)
            guard contents.cluster == cluster, contents.last.index == index else {
                throw EventLogError(.damaged, "\(name) holds another snapshot than its name says")
            }
        } catch {
            disk.close(file)
            throw error
        }
    }

    package func close() { disk.close(file) }

    /// In bytes.
    package var storedByteCount: UInt64 { offsets[offsets.count - 1] }

    /// A chunk as it was before compression. Throws `damaged` when it is no longer what was written.
    package func chunk(_ number: Int) throws(EventLogError) -> [UInt8] {
        try verified(number).raw
    }

    /// A chunk as it is stored, to be sent to a peer; verified first, so that rot is never given away.
    package func storedChunk(_ number: Int) throws(EventLogError) -> [UInt8] {
        try verified(number).stored
    }

    private func verified(_ number: Int) throws(EventLogError) -> (stored: [UInt8], raw: [UInt8]) {
        let stored: [UInt8]
        do {
            stored = try disk.read(file, at: offsets[number], count: Int(offsets[number + 1] - offsets[number]))
        } catch {
            throw Self.readError(error, name)
        }
        guard let raw = stored.withUnsafeBytes({ SnapshotChunk.raw($0, contents.chunks[number]) }) else {
            throw EventLogError(.damaged, "\(name): chunk \(number) at offset \(offsets[number]) is damaged")
        }
        return (stored, raw)
    }

    /// A place that can't be read is as good as rotten: what was there has to come from a peer.
    private static func readError(_ error: DiskError, _ name: String) -> EventLogError {
        error.reason == .failed ? EventLogError(.damaged, "\(name): \(error.description)") : EventLogError(error)
    }

    private static func readEnd(
        of file: FileID, named name: String, on disk: any Disk
    ) throws(EventLogError) -> (SnapshotContents, [UInt64]) {
        let damaged = EventLogError(.damaged, "\(name): the table of contents at its end is damaged")
        do {
            let size = try disk.size(file)
            guard size >= UInt64(SnapshotWriter.tailBytes) else { throw damaged }
            let tail = try disk.read(file, at: size - UInt64(SnapshotWriter.tailBytes), count: SnapshotWriter.tailBytes)
            guard tail.count == SnapshotWriter.tailBytes else { throw damaged }
            let (magic, tableBytes, digest) = tail.withUnsafeBytes {
                ($0.integer(at: 0, as: UInt32.self), Int($0.integer(at: 4, as: UInt32.self)), $0.digest(at: 8))
            }
            guard magic == SnapshotWriter.tailMagic else { throw damaged }
            // The lengths behind the table are as many as it has chunks, which its own length tells.
            guard let chunks = SnapshotContents.chunkCount(tableBytes: tableBytes) else { throw damaged }
            let endBytes = tableBytes + 4 * chunks
            guard size >= UInt64(endBytes + SnapshotWriter.tailBytes) else { throw damaged }
            let start = size - UInt64(endBytes + SnapshotWriter.tailBytes)
            let end = try disk.read(file, at: start, count: endBytes)
            guard end.count == endBytes, end.withUnsafeBytes({ Hashing.digest($0) }) == digest else { throw damaged }
            if let format = SnapshotContents.newerFormat(end) {
                throw EventLogError.newer("a snapshot of format \(format)", in: name)
            }
            guard
                let contents = SnapshotContents(Array(end[..<tableBytes]))
            else { throw damaged }
            var offsets: [UInt64] = [0]
            end.withUnsafeBytes { bytes in
                for place in 0..<chunks {
                    offsets.append(offsets[place] + UInt64(bytes.integer(at: tableBytes + 4 * place, as: UInt32.self)))
                }
            }
            guard offsets[chunks] == start, contents.chunks.count == chunks else { throw damaged }
            return (contents, offsets)
        } catch let error as DiskError {
            throw readError(error, name)
        } catch let error as EventLogError {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
