import Consensus

/// Makes a new log. The superblock's name appears last, so a folder without it was never used.
enum LogCreation {
    static func create(on disk: any Disk, identity: LogIdentity, options: EventLogOptions) throws(DiskError) {
        let folder = try LogFolder(on: disk)
        for name in folder.leftovers + folder.segments.map(FileNames.segment) { try disk.remove(name) }
        let cluster = BlockCodec.clusterTag(identity.cluster)
        let start = SegmentStart(
            segment: 1, cluster: cluster, node: identity.node, hardState: HardState(term: 0, vote: nil), last: .beforeFirst)
        try makeFirstSegment(start, on: disk, options: options)
        let notes = SuperblockNotes(
            hardState: start.hardState, last: start.last, base: start.last, firstSegment: 1, tailSegment: 1,
            tailOffset: pageBytes, tailBytes: options.segmentBytes, opened: 1)
        try Superblock(identity: identity, sequence: 1, incarnation: 0, durable: 1, notes: notes).create(on: disk)
    }

    private static func makeFirstSegment(
        _ start: SegmentStart, on disk: any Disk, options: EventLogOptions
    ) throws(DiskError) {
        let batch = BatchBuffer()
        let prefix = FramePrefix(
            kind: .segmentStart, payloadLength: UInt32(SegmentStart.byteCount), incarnation: 0, sequence: 1, durable: 0, commit: 0
        )
        batch.add(prefix) { start.write(to: $0) }
        batch.pad()
        let file = try SparePreparer.fill(FileNames.filling, on: disk, bytes: options.segmentBytes)
        defer { disk.close(file) }
        try disk.write(file, at: 0, batch.bytes)
        try disk.sync(file)
        try disk.rename(FileNames.filling, to: FileNames.segment(1))
        try disk.syncFolder()
    }

    /// Whether the folder, which has no superblock, is one that a creation may have left: with nothing, or with the first
    /// segment and in it the first frame alone. Anything else was used, and may have been acknowledged.
    static func isUnused(_ folder: LogFolder, on disk: any Disk) throws(DiskError) -> Bool {
        guard folder.spares.isEmpty, folder.patches.isEmpty else { return false }
        guard !folder.segments.isEmpty else { return true }
        guard folder.segments == [1], let segment = try folder.openSegments(on: disk).first else { return false }
        defer { disk.close(segment.file) }
        let reader = SegmentReader(segment, on: disk)
        guard reader.frame(at: 0)?.sequence == 1 else { return false }
        for offset in stride(from: pageBytes, to: segment.size, by: Int(pageBytes)) {
            if let prefix = reader.frame(at: offset), prefix.sequence > 1 { return false }
        }
        return reader.failure == nil
    }
}
