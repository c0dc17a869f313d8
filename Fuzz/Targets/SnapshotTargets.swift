import Consensus
import EventLog

extension FuzzTarget {
    /// A snapshot's file as it is.
    static let snapshot = FuzzTarget("snapshot") { bytes in
        if let contents = SnapshotContents(bytes) { hold(contents.encoded() == bytes, "a table has two encodings") }
        checkSnapshot(bytes, upTo: 4)
    }

    /// Behind the digests of its chunks and of its table; so are the fields that repeat what stands elsewhere.
    static let snapshotSealed = FuzzTarget("snapshot-sealed") { bytes in
        guard let (file, index) = SnapshotSealer.sealed(bytes) else { return }
        checkSnapshot(file, upTo: index)
    }

    /// What can be read can be written again and fetched by a peer, and each time it is the same snapshot.
    private static func checkSnapshot(_ bytes: [UInt8], upTo index: UInt64) {
        let disk = SimulatedDisk()
        LogFolderMaker.write(bytes, to: SnapshotSealer.name(index), on: disk)
        let cluster = BlockCodec.clusterTag(Digests.cluster)
        guard let file = try? SnapshotFile(on: disk, index: index, cluster: cluster) else { return }
        defer { file.close() }
        let contents = file.contents
        hold(SnapshotContents(contents.encoded()) == contents, "a table does not survive the way")
        let chunks = contents.chunks.indices.compactMap { try? file.chunk($0) }
        guard chunks.count == contents.chunks.count else { return }
        hold(chunks.reduce(0) { $0 + UInt64($1.count) } == contents.byteCount, "chunks of other lengths than the table says")
        do {
            let writer = try SnapshotWriter(
                on: SimulatedDisk(), cluster: cluster, last: contents.last, chunkBytes: contents.chunkBytes)
            for chunk in chunks { try writer.add(chunk) }
            hold(try writer.finish() == contents.reference, "written again it is another snapshot")
            let receiver = try SnapshotReceiver(on: SimulatedDisk(), contents: contents)
            for number in contents.chunks.indices.reversed() {
                hold(try receiver.put(try file.storedChunk(number), number: UInt32(number)), "chunk \(number) was refused")
            }
            hold(try receiver.finish() == contents.reference, "fetched it is another snapshot")
        } catch {
            fatalError("broken promise: \(error)")
        }
    }
}
