import Consensus

/// Where a block lies.
struct BlockLocation: Equatable {
    /// The segment's number.
    var segment: UInt32
    /// Of the block's first byte in the segment; its frame's prefix is before it.
    var offset: UInt32
    /// The block's length in bytes.
    var length: UInt32
}

/// What the frames read or written so far add up to.
struct LogState {
    var hardState = HardState(term: 0, vote: nil)
    var commit: LogIndex = 0
    /// The entry before the first one that is held.
    var base = EntrySummary.beforeFirst
    var last = EntrySummary.beforeFirst
    /// Of the entries from `base.index + 1` to `last.index`.
    private(set) var locations: [BlockLocation] = []

    mutating func append(_ entry: EntrySummary, at location: BlockLocation) {
        precondition(entry.index == last.index + 1, "entry \(entry.index) after \(last.index)")
        locations.append(location)
        last = entry
    }

    /// Makes `newLast` the last entry. When it lies before the base, what is before this state's start was cut too.
    mutating func truncate(to newLast: EntrySummary) {
        precondition(newLast.index <= last.index, "truncation to \(newLast.index) after \(last.index)")
        if newLast.index <= base.index {
            locations.removeAll()
            base = newLast
        } else {
            locations.removeLast(Int(last.index - newLast.index))
        }
        last = newLast
    }

    /// Begins anew behind an entry that a snapshot reaches to.
    mutating func reset(to newBase: EntrySummary) {
        locations.removeAll()
        base = newBase
        last = newBase
    }

    /// Forgets the entries up to `newBase`.
    mutating func release(to newBase: EntrySummary) {
        precondition(newBase.index >= base.index && newBase.index <= last.index, "release to \(newBase.index)")
        locations.removeFirst(Int(newBase.index - base.index))
        base = newBase
    }

    /// Nil when the log does not hold the entry.
    func location(of index: LogIndex) -> BlockLocation? {
        guard index > base.index, index <= last.index else { return nil }
        return locations[Int(index - base.index) - 1]
    }

    /// The last entry that lies in `segment` or before it; the base's index when there is none.
    func lastIndex(upToSegment segment: UInt64) -> LogIndex {
        var low = 0
        var high = locations.count
        while low < high {
            let middle = (low + high) / 2
            if UInt64(locations[middle].segment) <= segment { low = middle + 1 } else { high = middle }
        }
        return base.index + UInt64(low)
    }
}
