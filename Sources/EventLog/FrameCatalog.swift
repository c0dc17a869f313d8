import Consensus

/// A block that was read, with the frame that held it.
struct ScannedBlock {
    /// Of its frame.
    var sequence: UInt64
    var summary: EntrySummary
    var parent: Digest
    var location: BlockLocation
    /// Of the payload before compression, in bytes.
    var rawLength: UInt32
    /// The body is what the header says; else the header alone can be believed.
    var isWhole: Bool
}

/// How far reading has come.
struct FrameMark: Equatable {
    /// Of the last frame taken; 0 before the first.
    var sequence: UInt64 = 0
    var incarnation: UInt32 = 0
    var commit: LogIndex = 0
    /// The place in the list of segments of the one that holds it, and where in that one it ends.
    var place = 0
    var end: UInt64 = 0
    /// Frames taken so far.
    var frames = 0
}

/// Frames that should be between two that were read, or behind the last, and can't be read.
struct FrameGap {
    /// The last frame before.
    var before: FrameMark
    /// The last frame that is missing.
    var through: UInt64
    /// What the missing frame is, where that is certain.
    var kind: FrameKind?
    /// Where the missing frame seems to lie in the segment of `before`; nil when its prefix can't be read.
    var seen: Range<UInt64>?
}

/// Everything that can be read in the segments, in the order of writing, and what is missing in between.
struct FrameCatalog {
    var blocks: [ScannedBlock] = []
    /// Frame by frame: the entry that a truncation made the last, and what the starts of segments tell.
    var truncations: [(sequence: UInt64, last: EntrySummary)] = []
    /// Frame by frame: the entry that the log began anew behind.
    var resets: [(sequence: UInt64, base: EntrySummary)] = []
    var starts: [(sequence: UInt64, start: SegmentStart)] = []
    var hardStates: [(sequence: UInt64, hardState: HardState)] = []
    var gaps: [FrameGap] = []
    /// The last frame taken.
    var mark = FrameMark()
    /// The end of the last frame in each segment, by place.
    var ends: [UInt64] = []
    /// The last frame that any whole one, or the superblock, knows to be durable.
    var covered: UInt64 = 0
    /// Of all whole frames that were seen, those that no longer count too.
    var highestIncarnation: UInt32 = 0
    /// What this version does not know in a segment, in words, and the segment's place in the list.
    var newer: (what: String, place: Int)?
    /// Behind the frame of this sequence, where what is left of another one lies in the same segment.
    var trace: (sequence: UInt64, seen: Range<UInt64>)?
    /// A block that is whole though its frame's prefix is not, where the next frame should be.
    var salvaged: ScannedBlock?
    /// What the disk said of a page that it could not read, and the place of the segment, the last such.
    var failure: (error: DiskError, place: Int)?

    /// The place of the first gap that nothing covers to its end: everything behind it was never acknowledged.
    var tornGap: Int? { gaps.firstIndex { $0.through > covered } }

    /// The last frame that was acknowledged, when it can't be read and frames behind it can that never were.
    var rottenEnd: UInt64? {
        guard let torn = tornGap, covered > gaps[torn].before.sequence else { return nil }
        return covered
    }

    /// Forgets the frames behind `sequence`.
    mutating func cut(behind sequence: UInt64) {
        while let last = blocks.last, last.sequence > sequence { blocks.removeLast() }
        while let last = truncations.last, last.sequence > sequence { truncations.removeLast() }
        while let last = resets.last, last.sequence > sequence { resets.removeLast() }
        while let last = starts.last, last.sequence > sequence { starts.removeLast() }
        while let last = hardStates.last, last.sequence > sequence { hardStates.removeLast() }
    }
}
