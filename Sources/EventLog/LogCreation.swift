import Consensus

/// Makes a new log. The superblock's name appears last, so a folder without it was never used.
enum LogCreation {
    static func create(on disk: any Disk, identity: LogIdentity, options: EventLogOptions) throws(any Error) {
        let folder = try LogFolder(on: disk)
        try refuseUsed(folder, on: disk)
        for name in folder.leftovers + folder.segments.map(FileNames.segment) { try disk.remove(name) }
        try makeFirstSegment(on: disk, identity: identity, options: options)
        let superblock = Superblock(identity: identity, sequence: 1, incarnation: 0, durable: 1)
        let file = try disk.open(FileNames.newSuperblock, create: true)
        defer { disk.close(file) }
        var bytes = [UInt8](repeating: 0, count: Superblock.fileBytes)
        let start = superblock.slot * Superblock.slotBytes
        bytes.replaceSubrange(start..<start + Superblock.slotBytes, with: superblock.encoded())
        try disk.write(file, at: 0, bytes)
        try disk.sync(file)
        try disk.rename(FileNames.newSuperblock, to: FileNames.superblock)
        try disk.syncFolder()
    }

    private static func makeFirstSegment(on disk: any Disk, identity: LogIdentity, options: EventLogOptions) throws(DiskError) {
        let start = SegmentStart(
            segment: 1, cluster: BlockCodec.clusterTag(identity.cluster), node: identity.node,
            hardState: HardState(term: 0, vote: nil), last: .beforeFirst)
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

    /// A creation leaves at most the first segment, and in it the first frame alone. Anything more was acknowledged.
    private static func refuseUsed(_ folder: LogFolder, on disk: any Disk) throws(any Error) {
        guard !folder.segments.isEmpty else { return }
        var used = folder.segments != [1]
        for segment in try folder.openSegments(on: disk) {
            let reader = SegmentReader(segment, on: disk)
            for offset in stride(from: 0, to: segment.size, by: Int(pageBytes)) {
                if let prefix = try reader.frame(at: offset), prefix.sequence > 1 { used = true }
            }
            disk.close(segment.file)
        }
        guard !used else {
            throw EventLogError(.damaged, "\(FileNames.superblock) is missing from a data folder that holds a log")
        }
    }
}
