import Consensus

/// Where a block lies.
struct BlockLocation: Equatable {
    /// The number of the segment, or of the patch.
    var segment: UInt32
    /// Of the block's first byte in the file; in a segment its frame's prefix is before it.
    var offset: UInt32
    /// The block's length in bytes.
    var length: UInt32
    /// It was fetched from a peer and lies in a patch file.
    var isPatch = false
}

/// What the frames read or written so far add up to.
struct LogState {
    /// An entry that the log has, whether its bytes can be read or not.
    struct Slot: Equatable {
        /// Nil below a missing block, until the chain tells which entry it is.
        var digest: Digest?
        /// Nil when the block is missing.
        var location: BlockLocation?
    }

    var hardState = HardState(term: 0, vote: nil)
    var commit: LogIndex = 0
    /// The entry before the first one that is held.
    var base = EntrySummary.beforeFirst
    var last = EntrySummary.beforeFirst
    /// Of the entries from `base.index + 1` to `last.index`.
    private(set) var slots: [Slot] = []

    init() {}

    init(base: EntrySummary, last: EntrySummary, slots: [Slot]) {
        precondition(last.index - base.index == UInt64(slots.count), "\(slots.count) entries up to \(last.index)")
        self.base = base
        self.last = last
        self.slots = slots
    }

    mutating func append(_ entry: EntrySummary, at location: BlockLocation) {
        precondition(entry.index == last.index + 1, "entry \(entry.index) after \(last.index)")
        precondition(
            last.index - base.index == UInt64(slots.count), "\(slots.count) entries from \(base.index + 1) to \(last.index)")
        slots.append(Slot(digest: entry.digest, location: location))
        last = entry
    }

    /// Makes `newLast` the last entry. When it lies before the base, what is before this state's start was cut too.
    mutating func truncate(to newLast: EntrySummary) {
        precondition(newLast.index <= last.index, "truncation to \(newLast.index) after \(last.index)")
        if newLast.index <= base.index {
            slots.removeAll()
            base = newLast
        } else {
            slots.removeLast(Int(last.index - newLast.index))
        }
        last = newLast
    }

    /// Begins anew behind an entry that a snapshot reaches to.
    mutating func reset(to newBase: EntrySummary) {
        slots.removeAll()
        base = newBase
        last = newBase
    }

    /// Forgets the entries up to `newBase`.
    mutating func release(to newBase: EntrySummary) {
        precondition(newBase.index >= base.index && newBase.index <= last.index, "release to \(newBase.index)")
        slots.removeFirst(Int(newBase.index - base.index))
        base = newBase
    }

    /// Says what stands at an index that the log has.
    mutating func set(_ index: LogIndex, _ slot: Slot) {
        slots[Int(index - base.index) - 1] = slot
    }

    /// Nil when the log does not reach the index.
    func slot(of index: LogIndex) -> Slot? {
        guard index > base.index, index <= last.index else { return nil }
        return slots[Int(index - base.index) - 1]
    }

    /// Nil when the log does not hold the entry's block.
    func location(of index: LogIndex) -> BlockLocation? {
        slot(of: index)?.location
    }

    /// The last entry before the first one that lies in a segment behind `segment`; missing blocks and fetched ones go
    /// with those that come before them.
    func lastIndex(upToSegment segment: UInt64) -> LogIndex {
        let next = slots.firstIndex { slot in
            guard let location = slot.location, !location.isPatch else { return false }
            return UInt64(location.segment) > segment
        }
        return base.index + UInt64(next ?? slots.count)
    }
}
