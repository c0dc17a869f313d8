import Consensus

/// How far a log can have come. Checksums and digests only show that nothing was changed by chance: counting on from a number
/// beyond these would soon give one that can't be read again, or stop the process, so it is damage.
enum LogBounds {
    /// Of frames, of copies of the superblock, and of everything that entries and votes are numbered by.
    private static let number = UInt64(1) << 62
    private static let incarnation = UInt32(1) << 30
    private static let segment = UInt64(1) << 30
    /// Places in a segment are kept in 32 bits.
    static let segmentBytes = UInt64(UInt32.max)
    /// A frame with a block without a body.
    private static let leastEntryBytes = UInt64(FramePrefix.byteCount + BlockHeader.byteCount)
    /// How many entries more than its files could hold a log may lack: what lost files held. Each takes memory.
    private static let unseenEntries: UInt64 = 1 << 16

    /// Throws `damaged` for a log that can't have come so far.
    static func check(_ scan: LogScan, _ superblock: Superblock?, _ segments: [SegmentFile]) throws(EventLogError) {
        let (last, notes) = (scan.state.last, superblock?.notes)
        let numbers = [
            scan.sequence, superblock?.sequence ?? 0, last.index, last.term, last.time, last.nextCommand,
            scan.state.hardState.term,
        ]
        try require(numbers.allSatisfy { $0 <= number }, "a number in it is impossibly large")
        try require(max(scan.incarnation, superblock?.incarnation ?? 0) <= incarnation, "it was opened impossibly often")
        let lastSegment = max(segments.last?.number ?? 0, notes?.tailSegment ?? 0)
        try require(lastSegment <= segment, "a segment has the number \(lastSegment)")
        try require(notes.map { $0.firstSegment <= max($0.tailSegment, 1) } ?? true, "its first segment is behind its last")
        try require(segments.allSatisfy { $0.size <= segmentBytes }, "a segment is longer than any")
    }

    /// Throws `damaged` when so many entries can't have been in these segments, even if some were lost.
    static func check(entries count: UInt64, in segments: [SegmentFile], patched: Int) throws(EventLogError) {
        let room = held(in: segments) + UInt64(patched)
        try require(count <= room + unseenEntries, "of its \(count) entries the files could hold \(room)")
    }

    /// Whether a log with these files may have so many entries, and many more later on.
    static func canHold(_ count: UInt64, in segments: [SegmentFile]) -> Bool {
        count <= held(in: segments) + unseenEntries / 2
    }

    private static func held(in segments: [SegmentFile]) -> UInt64 {
        segments.reduce(0) { $0 + $1.size / leastEntryBytes }
    }

    private static func require(_ condition: Bool, _ what: String) throws(EventLogError) {
        if !condition { throw EventLogError(.damaged, "the data folder is damaged: \(what); no log gets so far") }
    }
}
