/// A block that a log should hold and can't read, by its index and name.
package struct MissingBlock: Hashable, Sendable {
    package let index: LogIndex
    package let digest: Digest

    package init(index: LogIndex, digest: Digest) {
        self.index = index
        self.digest = digest
    }
}

/// What a log lacks, and how it closes again: block by block, each known by the digest that its successor names.
///
/// The last entry is known, and each whole entry names its parent. Where a block is missing, its own digest is known
/// but nothing below is, until it is fetched: then its parent is either what stands below already, and the chain has
/// joined, or the next one that is wanted. What stands below until then is *presumed*: the newest entries with these
/// indexes that the disk had, perhaps of a branch that was cut off. A block that comes is taken by its digest alone, so
/// it does not matter who gives it. A pure value: the log has one, and a replica may have a copy.
package struct MissingBlocks: Sendable, Equatable {
    /// What is known of one index.
    struct Slot: Sendable, Equatable {
        /// Nil when not even the entry's name is known.
        var digest: Digest?
        /// May be known though the block is not.
        var summary: EntrySummary?
        var isWhole = false
        /// The entry below is this one's parent. False while a missing block has not told its parent.
        var isLinked = false
    }

    /// An entry that was found on the disk.
    package struct Found: Sendable, Equatable {
        package var summary: EntrySummary
        package var parent: Digest
        /// The bytes are there too, not the header alone.
        package var isWhole: Bool

        package init(summary: EntrySummary, parent: Digest, isWhole: Bool) {
            self.summary = summary
            self.parent = parent
            self.isWhole = isWhole
        }

        var slot: Slot { Slot(digest: summary.digest, summary: summary, isWhole: isWhole, isLinked: true) }
    }

    /// What became of a block that was offered.
    package enum Taken: Sendable, Equatable {
        /// It was missing. These indexes have changed with it: its own, and those below it whose entries are others than
        /// had been presumed.
        case accepted(ClosedRange<LogIndex>)
        /// Not a block that is wanted now.
        case refused
        /// It does not lead to the entry before the log's first one; nothing has changed.
        case contradicted
    }

    /// The entry before the first one.
    package private(set) var base: EntrySummary
    /// Of entry `base.index + 1` and on.
    var slots: [Slot]
    /// Whole entries on the disk that stand at no index now; presumed entries may turn out to be wrong.
    var others: [Digest: Found]
    /// The indexes whose blocks are missing, in order.
    package private(set) var indexes: [LogIndex] = []

    init(base: EntrySummary, slots: [Slot], others: [Digest: Found]) {
        self.base = base
        self.slots = slots
        self.others = others
        countMissing()
    }

    /// The last index that the log reaches, missing or not: it counts in votes.
    package var lastIndex: LogIndex { base.index + LogIndex(slots.count) }
    /// Every block is there, and the chain joins.
    package var isEmpty: Bool { indexes.isEmpty }
    package func isMissing(_ index: LogIndex) -> Bool { indexes.binarySearch(index) != nil }

    /// What to ask for: every missing block whose digest is known, the newest first. At least one while any is missing.
    package var wanted: [MissingBlock] {
        indexes.reversed().compactMap { index in
            slots[place(index)].digest.map { MissingBlock(index: index, digest: $0) }
        }
    }

    /// The missing indexes as ranges, in order.
    package var ranges: [ClosedRange<LogIndex>] {
        var ranges: [ClosedRange<LogIndex>] = []
        for index in indexes {
            if let last = ranges.last, last.upperBound + 1 == index {
                ranges[ranges.count - 1] = last.lowerBound...index
            } else {
                ranges.append(index...index)
            }
        }
        return ranges
    }

    /// Entries from here on certainly belong to the log; those before are presumed. Never nil when the log is empty.
    package var certainFrom: LogIndex {
        let broken = slots.lastIndex { !$0.isLinked }
        return base.index + 1 + LogIndex(broken ?? 0)
    }

    /// What is known of an entry, its block whole or not; nil for one that is only a name, or less.
    package func summary(at index: LogIndex) -> EntrySummary? {
        if index == base.index { return base }
        guard index > base.index, index <= lastIndex else { return nil }
        return slots[place(index)].summary
    }

    package func digest(at index: LogIndex) -> Digest? {
        if index == base.index { return base.digest }
        guard index > base.index, index <= lastIndex else { return nil }
        return slots[place(index)].digest
    }

    func place(_ index: LogIndex) -> Int { Int(index - base.index) - 1 }

    private mutating func countMissing() {
        indexes = slots.indices.filter { !slots[$0].isWhole }.map { base.index + 1 + LogIndex($0) }
    }
}

extension MissingBlocks {
    /// Takes in a block that was fetched; its digest must have been verified over its bytes.
    package mutating func take(_ entry: Entry) -> Taken {
        guard isMissing(entry.index), slots[place(entry.index)].digest == entry.digest else { return .refused }
        var next = self
        let wasLinked = slots[place(entry.index)].isLinked
        next.slots[place(entry.index)] = Slot(digest: entry.digest, summary: entry.summary, isWhole: true, isLinked: true)
        next.setMissing(entry.index, false)
        var lowest = entry.index
        if !wasLinked {
            guard let changed = next.link(below: entry.index, to: entry.parent) else { return .contradicted }
            lowest = changed
        }
        self = next
        return .accepted(lowest...entry.index)
    }

    /// Makes the entry below `index` the one of this digest, and those below it its ancestors, as far as they are
    /// known; gives the lowest index that changed. Nil when that contradicts the base.
    private mutating func link(below index: LogIndex, to digest: Digest) -> LogIndex? {
        var wanted = digest
        var next = index - 1
        while next > base.index {
            let old = slots[place(next)]
            guard old.digest != wanted else { return next + 1 }
            if let summary = old.summary, old.isWhole, old.isLinked, let parent = self.digest(at: next - 1) {
                others[summary.digest] = Found(summary: summary, parent: parent, isWhole: true)
            }
            guard let found = others[wanted], found.summary.index == next else {
                slots[place(next)] = Slot(digest: wanted)
                setMissing(next, true)
                return next
            }
            slots[place(next)] = found.slot
            setMissing(next, !found.isWhole)
            wanted = found.parent
            next -= 1
        }
        return wanted == base.digest ? next + 1 : nil
    }

    /// Says that a block which was whole can't be read any more. Does nothing for one that is missing already.
    package mutating func lose(_ index: LogIndex) {
        guard index > base.index, index <= lastIndex, slots[place(index)].isWhole else { return }
        slots[place(index)].isWhole = false
        setMissing(index, true)
    }

    /// Adds a whole entry behind the last.
    package mutating func append(_ entry: EntrySummary) {
        precondition(entry.index == lastIndex + 1, "entry \(entry.index) after \(lastIndex)")
        slots.append(Slot(digest: entry.digest, summary: entry, isWhole: true, isLinked: true))
    }

    /// Makes the entry at `index` the last.
    package mutating func truncate(to index: LogIndex) {
        guard index < lastIndex else { return }
        guard index > base.index else {
            slots.removeAll()
            indexes.removeAll()
            return
        }
        slots.removeLast(Int(lastIndex - index))
        while let last = indexes.last, last > index { indexes.removeLast() }
    }

    /// Forgets the entries up to a new base, which must be what the log holds there if it is known.
    package mutating func release(to newBase: EntrySummary) {
        guard newBase.index > base.index else { return }
        slots.removeFirst(min(slots.count, Int(newBase.index - base.index)))
        indexes.removeAll { $0 <= newBase.index }
        base = newBase
    }

    private mutating func setMissing(_ index: LogIndex, _ isMissing: Bool) {
        let place = indexes.partitionPoint(index)
        let isListed = place < indexes.count && indexes[place] == index
        if isMissing, !isListed { indexes.insert(index, at: place) }
        if !isMissing, isListed { indexes.remove(at: place) }
    }
}

extension [LogIndex] {
    /// The place of the first element that is not below `index`; the elements are in order.
    func partitionPoint(_ index: LogIndex) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < index { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func binarySearch(_ index: LogIndex) -> Int? {
        let place = partitionPoint(index)
        return place < count && self[place] == index ? place : nil
    }
}
