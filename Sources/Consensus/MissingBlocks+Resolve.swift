extension MissingBlocks {
    /// Finds out which of the entries on a disk are the log that ends with `last`, and what of it is missing.
    ///
    /// `found` is every entry that was read, cut off ones too, in the order of writing. Goes from the end: each whole entry
    /// names its parent. Below a missing one, the newest entries with these indexes are presumed. Nil when the
    /// chain leads past `base`: then one of the two ends is wrong.
    package static func resolve(base: EntrySummary, last: EntrySummary, found: [Found]) -> MissingBlocks? {
        guard last.index > base.index else {
            let isSame = last.index == base.index && last.digest == base.digest
            return isSame ? MissingBlocks(base: base, slots: [], others: [:]) : nil
        }
        var resolution = Resolution(base: base, last: last, found: found)
        guard resolution.descend(to: last) else { return nil }
        return MissingBlocks(base: base, slots: resolution.slots, others: resolution.unused)
    }

    /// A log that is whole, of which something may be lost later.
    package static func whole(base: EntrySummary, digests: some Collection<Digest>) -> MissingBlocks {
        let slots = digests.map { Slot(digest: $0, summary: nil, isWhole: true, isLinked: true) }
        return MissingBlocks(base: base, slots: slots, others: [:])
    }
}

/// The walk from the last entry down to the base.
private struct Resolution {
    let base: EntrySummary
    var slots: [MissingBlocks.Slot]
    /// What was found and stands at no index.
    var unused: [Digest: MissingBlocks.Found]
    /// By place: the entry that was written last with this index.
    private var newest: [MissingBlocks.Found?]

    init(base: EntrySummary, last: EntrySummary, found: [MissingBlocks.Found]) {
        self.base = base
        slots = Array(repeating: MissingBlocks.Slot(), count: Int(last.index - base.index))
        newest = Array(repeating: nil, count: slots.count)
        unused = [:]
        for entry in found where entry.summary.index > base.index && entry.summary.index <= last.index {
            newest[Int(entry.summary.index - base.index) - 1] = entry
            if unused[entry.summary.digest]?.isWhole != true { unused[entry.summary.digest] = entry }
        }
    }

    /// False when the certain part of the chain does not lead to the base.
    mutating func descend(to last: EntrySummary) -> Bool {
        var wanted = last.digest
        var index = last.index
        var isCertain = true
        var presumedTop = index
        while index > base.index {
            let place = Int(index - base.index) - 1
            if let entry = unused[wanted], entry.summary.index == index {
                unused[wanted] = nil
                slots[place] = entry.slot
                wanted = entry.parent
                index -= 1
                continue
            }
            slots[place].digest = wanted
            if index == last.index { slots[place].summary = last }
            isCertain = false
            index -= 1
            guard let guess = presumption(below: index) else { return true }
            index = guess.summary.index
            wanted = guess.summary.digest
            presumedTop = index
        }
        if wanted != base.digest {
            guard !isCertain else { return false }
            forget(from: presumedTop)
        }
        return true
    }

    /// The newest entry at or below the index that has one.
    private func presumption(below index: LogIndex) -> MissingBlocks.Found? {
        var index = index
        while index > base.index {
            if let entry = newest[Int(index - base.index) - 1] { return unused[entry.summary.digest] ?? entry }
            index -= 1
        }
        return nil
    }

    /// What was presumed does not lead to the base, so it is of a branch that was cut off.
    private mutating func forget(from top: LogIndex) {
        for place in 0..<Int(top - base.index) {
            let slot = slots[place]
            let parent = place == 0 ? nil : slots[place - 1].digest
            if let summary = slot.summary, slot.isWhole, let parent {
                unused[summary.digest] = MissingBlocks.Found(summary: summary, parent: parent, isWhole: true)
            }
        }
        for place in 0..<Int(top - base.index) { slots[place] = MissingBlocks.Slot() }
    }
}
