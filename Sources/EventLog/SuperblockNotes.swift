import Consensus

/// What the log was like when a superblock of format 2 was written: a second witness of everything that one rotten
/// frame could swallow.
///
///     0   hard state     136  first segment     160  size of the last segment's file
///     24  last entry     144  last segment      168  opened
///     80  base           152  tail offset       176  flags: 1 the end is lost, 2 the hard state is lost,
///                                                    4 the node is a member
///     184 count of earlier openings, then for each 16 bytes: incarnation, zero (4), the last frame before its first
struct SuperblockNotes: Equatable {
    private static let openingsOffset = 184
    static let byteCount = openingsOffset + 8 + Opening.most * Opening.encodedBytes

    var hardState: HardState
    /// The last entry, as of the frame `durable`.
    var last: EntrySummary
    /// The entry before the first one held.
    var base: EntrySummary
    /// Segments before it were released; it and those behind it must be there, up to `tailSegment`.
    var firstSegment: UInt64
    /// The segment that holds the frame `durable`, where in it the next batch goes, and the size of its file.
    var tailSegment: UInt64
    var tailOffset: UInt64
    var tailBytes: UInt64
    /// The last frame before this incarnation's first.
    var opened: UInt64
    /// The openings before that one, as far as they are remembered.
    var earlier: [Opening]
    /// Entries behind the last one were acknowledged and are lost, nobody here knows which.
    var isEndLost: Bool
    /// A newer hard state may have been acknowledged.
    var isHardStateLost: Bool
    /// The node has begun to take part with an empty log: that it is empty does not mean that anything was lost.
    var isMember: Bool

    func write(to bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
        hardState.write(to: bytes, at: offset)
        last.write(to: bytes, at: offset + 24)
        base.write(to: bytes, at: offset + 80)
        bytes.put(firstSegment, at: offset + 136)
        bytes.put(tailSegment, at: offset + 144)
        bytes.put(tailOffset, at: offset + 152)
        bytes.put(tailBytes, at: offset + 160)
        bytes.put(opened, at: offset + 168)
        bytes.put(UInt64((isEndLost ? 1 : 0) + (isHardStateLost ? 2 : 0) + (isMember ? 4 : 0)), at: offset + 176)
        precondition(earlier.count <= Opening.most, "\(earlier.count) openings")
        bytes.put(UInt64(earlier.count), at: offset + Self.openingsOffset)
        for (place, opening) in earlier.enumerated() {
            let start = offset + Self.openingsOffset + 8 + place * Opening.encodedBytes
            bytes.put(UInt64(opening.incarnation), at: start)
            bytes.put(opening.behind, at: start + 8)
        }
    }

    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard let last = EntrySummary(bytes, at: offset + 24), let base = EntrySummary(bytes, at: offset + 80),
            let hardState = HardState(bytes, at: offset)
        else { return nil }
        let flags: UInt64 = bytes.integer(at: offset + 176)
        self.init(
            hardState: hardState, last: last, base: base, firstSegment: bytes.integer(at: offset + 136),
            tailSegment: bytes.integer(at: offset + 144), tailOffset: bytes.integer(at: offset + 152),
            tailBytes: bytes.integer(at: offset + 160), opened: bytes.integer(at: offset + 168), earlier: [],
            isEndLost: flags & 1 != 0, isHardStateLost: flags & 2 != 0,
            isMember: flags & 4 != 0)
        let count: UInt64 = bytes.integer(at: offset + Self.openingsOffset)
        guard count <= UInt64(Opening.most) else { return nil }
        for place in 0..<Int(count) {
            let start = offset + Self.openingsOffset + 8 + place * Opening.encodedBytes
            let opening = Opening(incarnation: bytes.integer(at: start), behind: bytes.integer(at: start + 8))
            // In order: each began where the one before it had ended, and later.
            if let last = earlier.last, opening.incarnation <= last.incarnation || opening.behind <= last.behind { return nil }
            earlier.append(opening)
        }
        guard earlier.last.map({ $0.behind < opened }) ?? true else { return nil }
    }

    init(
        hardState: HardState, last: EntrySummary, base: EntrySummary, firstSegment: UInt64, tailSegment: UInt64,
        tailOffset: UInt64, tailBytes: UInt64, opened: UInt64, earlier: [Opening] = [], isEndLost: Bool = false,
        isHardStateLost: Bool = false, isMember: Bool = false
    ) {
        self.hardState = hardState
        self.last = last
        self.base = base
        self.firstSegment = firstSegment
        self.tailSegment = tailSegment
        self.tailOffset = tailOffset
        self.tailBytes = tailBytes
        self.opened = opened
        self.earlier = earlier
        self.isEndLost = isEndLost
        self.isHardStateLost = isHardStateLost
        self.isMember = isMember
    }
}
