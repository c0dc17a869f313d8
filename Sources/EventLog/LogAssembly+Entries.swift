import Consensus

extension LogAssembly {
    /// Where the log begins: what the superblock says, or the first segment.
    private func findBase() throws(EventLogError) -> EntrySummary {
        let noted = notes.map { (base: $0.base, sequence: superblock.newest?.durable ?? 0) }
        // A snapshot took the place of everything before it; the superblock is told right afterwards.
        if let reset = catalog.resets.last, reset.sequence > noted?.sequence ?? catalog.starts.first?.sequence ?? 0 {
            return reset.base
        }
        if let noted { return noted.base }
        guard let first = segments.first, first.number > 1 else { return .beforeFirst }
        guard let start = catalog.starts.first, start.start.segment == first.number else {
            throw EventLogError(.damaged, "\(first.name) is damaged at its start: where the log begins can't be told")
        }
        return catalog.truncations.map(\.last).filter { $0.index < start.start.last.index }.min { $0.index < $1.index }
            ?? start.start.last
    }

    mutating func findEntries() throws(EventLogError) {
        let base = try findBase()
        let last = findLast(base)
        if gaps.isEmpty, let replay = FrameReplay(catalog, from: base), replay.state.last.digest == last.digest {
            let commit = max(min(scan.state.commit, last.index), base.index)
            scan.state = replay.state
            scan.state.commit = commit
            scan.summaries = replay.summaries
            scan.rawBytes = replay.rawBytes
            scan.storedBytes = replay.storedBytes
            return
        }
        try LogBounds.check(entries: last.index - base.index, in: segments, patched: patches.count)
        let blocks = catalog.blocks + patches
        let found = blocks.map { MissingBlocks.Found(summary: $0.summary, parent: $0.parent, isWhole: $0.isWhole) }
        guard let missing = MissingBlocks.resolve(base: base, last: last, found: found) else {
            let chain = "the chain of entries from \(last.index) down"
            throw EventLogError(.damaged, "\(chain) does not lead to entry \(base.index), behind which the log begins")
        }
        var locations: [Digest: ScannedBlock] = [:]
        for block in blocks {
            if block.isWhole {
                locations[block.summary.digest] = block
            } else {
                scan.corrupt[block.summary.digest] = block.location
            }
        }
        var slots: [LogState.Slot] = []
        slots.reserveCapacity(Int(last.index - base.index))
        scan.summaries.reserveCapacity(slots.capacity)
        for index in stride(from: base.index + 1, through: last.index, by: 1) {
            let digest = missing.digest(at: index)
            let block = missing.isMissing(index) ? nil : digest.flatMap { locations.removeValue(forKey: $0) }
            slots.append(LogState.Slot(digest: digest, location: block?.location))
            scan.summaries.append(missing.summary(at: index))
            scan.rawBytes += UInt64(block?.rawLength ?? 0)
            scan.storedBytes += UInt64(block?.location.length ?? 0)
        }
        let commit = scan.state.commit
        scan.state = LogState(base: base, last: last, slots: slots)
        scan.state.commit = certainCommit(commit, missing)
        scan.missing = missing.isEmpty ? nil : missing
        scan.others = missing.isEmpty ? [:] : locations.mapValues(\.location)
    }

    /// What is committed for certain and can be read: below a break in the chain, only what was committed when everything
    /// before the first gap had been read.
    private func certainCommit(_ hint: LogIndex, _ missing: MissingBlocks) -> LogIndex {
        var commit = min(hint, missing.lastIndex)
        if let first = missing.indexes.first { commit = min(commit, first - 1) }
        if missing.certainFrom > missing.base.index + 1 {
            commit = min(commit, max(catalog.gaps.first?.before.commit ?? 0, missing.base.index))
        }
        return max(commit, missing.base.index)
    }

    /// The last entry, as the last frame that tells says.
    private mutating func findLast(_ base: EntrySummary) -> EntrySummary {
        var last = base
        var knownAt: UInt64 = 0
        func take(_ summary: EntrySummary?, _ sequence: UInt64?) {
            guard let summary, let sequence, sequence >= knownAt else { return }
            (last, knownAt) = (summary, sequence)
        }
        take(catalog.blocks.last?.summary, catalog.blocks.last?.sequence)
        take(catalog.truncations.last?.last, catalog.truncations.last?.sequence)
        take(catalog.resets.last?.base, catalog.resets.last?.sequence)
        take(catalog.starts.last?.start.last, catalog.starts.last?.sequence)
        take(notes?.last, superblock.newest?.durable)
        if gaps.contains(where: { $0.through > knownAt && $0.kind != .hardState }) { scan.isEndLost = true }
        // Truncated to below what was released: nothing is left.
        return last.index < base.index ? base : last
    }

    mutating func findHardState() {
        var state = HardState(term: 0, vote: nil)
        var isContradicted = false
        for next in catalog.hardStates.map(\.hardState) + (notes.map { [$0.hardState] } ?? []) {
            if next.term > state.term {
                state = next
            } else if next.term == state.term, let vote = next.vote {
                isContradicted = isContradicted || (state.vote ?? vote) != vote
                state.vote = vote
            }
        }
        scan.state.hardState = state
        let noted = notes == nil ? 0 : superblock.newest?.durable ?? 0
        let knownAt = max(catalog.hardStates.last?.sequence ?? 0, noted)
        // Each new hard state is in the superblock before anyone is told; so the newest copy knows it.
        let isKnown = superblock.isCertain && notes != nil
        let mayBeMissing = gaps.contains {
            $0.through > knownAt && $0.kind != .block && $0.kind != .truncate && $0.kind != .reset
        }
        scan.isHardStateLost = (notes?.isHardStateLost ?? false) || isContradicted || (mayBeMissing && !isKnown)
    }

    // MARK: In words

    mutating func finish() {
        scan.rotten = gaps.map(place)
        guard scan.missing != nil || scan.isEndLost || scan.isHardStateLost else { return }
        scan.damage = LogDamage(
            place: firstGap().map(place), entries: scan.missing?.ranges ?? [],
            lostFrom: scan.isEndLost ? scan.state.last.index + 1 : nil, isHardStateLost: scan.isHardStateLost)
    }

    /// The last gap before the entry that follows the first hole, else the first gap of all.
    private func firstGap() -> FrameGap? {
        let all = gaps
        guard let hole = scan.missing?.ranges.first, let next = scan.state.slot(of: hole.upperBound + 1)?.digest,
            let block = catalog.blocks.last(where: { $0.summary.digest == next })
        else { return all.first }
        return all.last { $0.through < block.sequence } ?? all.first
    }

    private func place(_ gap: FrameGap) -> LogDamage.Place {
        let isAtStart = segments.isEmpty || gap.before.frames == 0
        let name = isAtStart ? FileNames.segment(notes?.firstSegment ?? 1) : segments[gap.before.place].name
        return LogDamage.Place(file: name, offset: gap.before.end, frames: gap.through - gap.before.sequence)
    }
}
