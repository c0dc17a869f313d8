import Consensus

/// Frames without a gap, added up one after another: what nearly every opening does, in half the memory that it takes
/// to find out what is missing.
struct FrameReplay {
    private(set) var state = LogState()
    private(set) var summaries: [EntrySummary] = []
    private(set) var rawBytes: UInt64 = 0
    private(set) var storedBytes: UInt64 = 0

    /// Nil when the frames don't lead from one to the next, or not to `base`.
    init?(_ catalog: FrameCatalog, from base: EntrySummary) {
        let reset = catalog.resets.last
        let first = reset?.base ?? catalog.starts.first?.start.last ?? .beforeFirst
        let from = reset?.sequence ?? 0
        state = LogState(base: first, last: first, slots: [])
        summaries.reserveCapacity(catalog.blocks.count)
        var truncations = catalog.truncations.drop { $0.sequence < from }
        for block in catalog.blocks where block.sequence > from {
            while let next = truncations.first, next.sequence < block.sequence {
                guard truncate(to: next.last) else { return nil }
                truncations.removeFirst()
            }
            guard append(block) else { return nil }
        }
        for next in truncations { guard truncate(to: next.last) else { return nil } }
        guard base.index >= state.base.index, base.index <= state.last.index else { return nil }
        let released = Int(base.index - state.base.index)
        let digest = released == 0 ? state.base.digest : summaries[released - 1].digest
        guard digest == base.digest else { return nil }
        state.release(to: base)
        summaries.removeFirst(released)
    }

    private mutating func append(_ block: ScannedBlock) -> Bool {
        let (entry, last) = (block.summary, state.last)
        guard block.isWhole, entry.index == last.index + 1, block.parent == last.digest, entry.term >= last.term else {
            return false
        }
        state.append(entry, at: block.location)
        summaries.append(entry)
        rawBytes += UInt64(block.rawLength)
        storedBytes += UInt64(block.location.length)
        return true
    }

    private mutating func truncate(to last: EntrySummary) -> Bool {
        guard last.index <= state.last.index else { return false }
        if last.index > state.base.index {
            let kept = Int(last.index - state.base.index)
            guard summaries[kept - 1] == last else { return false }
            summaries.removeLast(summaries.count - kept)
        } else {
            summaries.removeAll()
        }
        state.truncate(to: last)
        return true
    }
}
