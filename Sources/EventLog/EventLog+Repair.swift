package import Consensus

extension EventLog {
    /// Takes in blocks that were fetched from others, makes them durable in a patch file, and serves them from then on.
    ///
    /// Gives the indexes that it took; the others were not wanted. One block may make the next one wanted, so they can be
    /// given in a row, in any order. Throws `noSpace` and `transient`, after which nothing has changed, and `disk`, after which the log takes no
    /// more writes.
    package func repair(with entries: [Entry]) throws(EventLogError) -> [LogIndex] {
        try refuseIfPoisoned()
        guard var next = missing else { return [] }
        let (taken, changed) = Self.take(entries.filter(isGenuine), into: &next)
        guard let changed else { return [] }
        let locations = try writePatch(taken)
        missing = next
        var patched: [Digest: BlockLocation] = [:]
        for (entry, location) in zip(taken, locations) { patched[entry.digest] = location }
        for index in changed { settle(index, next, patched) }
        forgetHolesIfClosed()
        return taken.map(\.index)
    }

    /// Nothing is believed that could not be verified here.
    private func isGenuine(_ entry: Entry) -> Bool {
        guard let parsed = try? BlockCodec.parse(entry.block, cluster: cluster) else { return false }
        return parsed.digest == entry.digest && parsed.index == entry.index && parsed.parent == entry.parent
    }

    /// The newest first: a block names the one below it.
    private static func take(
        _ entries: [Entry], into missing: inout MissingBlocks
    ) -> (taken: [Entry], changed: ClosedRange<LogIndex>?) {
        var taken: [Entry] = []
        var changed: ClosedRange<LogIndex>?
        for entry in entries.sorted(by: { $0.index > $1.index }) {
            guard case .accepted(let range) = missing.take(entry) else { continue }
            taken.append(entry)
            let all = changed ?? range
            changed = min(all.lowerBound, range.lowerBound)...max(all.upperBound, range.upperBound)
        }
        return (taken, changed)
    }

    /// Says what stands at the index now.
    private func settle(_ index: LogIndex, _ missing: MissingBlocks, _ patched: [Digest: BlockLocation]) {
        guard let old = state.slot(of: index), let digest = missing.digest(at: index) else { return }
        if let location = patched[digest] {
            state.set(index, LogState.Slot(digest: digest, location: location))
            return
        }
        guard old.digest != digest else { return }
        if let was = old.digest, let location = old.location { others[was] = location }
        let location = missing.isMissing(index) ? nil : others.removeValue(forKey: digest)
        state.set(index, LogState.Slot(digest: digest, location: location))
    }

    private func writePatch(_ entries: [Entry]) throws(EventLogError) -> [BlockLocation] {
        do {
            if !isPatchOpen || patches[patches.count - 1].end > options.segmentBytes {
                let number = (patches.last?.number ?? 0) + 1
                patches.append(
                    try PatchFile.create(number, on: disk, cluster: cluster, node: superblock.identity.node))
                isPatchOpen = true
            }
            return try patches[patches.count - 1].append(entries, on: disk)
        } catch {
            if error.reason != .noSpace, error.reason != .transient { poison = error.description }
            throw EventLogError(error)
        }
    }

    /// Nothing has happened in the log, as far as its folder knows.
    var isEmpty: Bool { state.last.index == 0 && state.hardState == HardState(term: 0, vote: nil) }

    /// All that this log held is lost: others know that something has happened. Durable when it returns, so that it is not
    /// forgotten. Throws `disk`.
    package func lose() throws(EventLogError) {
        try refuseIfPoisoned()
        precondition(isEmpty, "a log up to entry \(state.last.index) has not lost everything")
        (isEndLost, isHardStateLost) = (true, true)
        try poisoning { () throws(DiskError) in for _ in 0..<2 { try storeSuperblock() } }
    }

    /// From now on the log ends with `last` and the hard state is this one, whatever had been here: others have told, and what
    /// was lost is known again by name. Durable when it returns; then the log must be opened anew, and asks for what it
    /// lacks of that.
    ///
    /// Throws `noSpace` before anything is written, and `disk`.
    package func learn(end last: EntrySummary, hardState: HardState) throws(EventLogError) {
        try refuseIfPoisoned()
        precondition(last.index >= state.base.index, "the log begins behind entry \(state.base.index)")
        let frames = [HardState.encodedBytes, EntrySummary.encodedBytes].map { UInt64(FramePrefix.byteCount + $0) }
        try makeRoom(for: frames)
        try poisoning { () throws(DiskError) in
            try add(.hardState, payloadBytes: HardState.encodedBytes, commit: state.commit) { hardState.write(to: $0, at: 0) }
            // A truncation's frame says which entry is the last; it may as well be one that is not here.
            try add(.truncate, payloadBytes: EntrySummary.encodedBytes, commit: state.commit) { last.write(to: $0, at: 0) }
            try flush()
            state.hardState = hardState
            state.last = last
            (isEndLost, isHardStateLost) = (false, false)
            for _ in 0..<2 { try storeSuperblock() }
        }
        poison = "it has learned from others where it ends, and must be opened anew"
    }

    /// From now on the log begins with the first entry that there ever was, and those up to where it had begun are missing: no
    /// snapshot anywhere stands for them. Durable when it returns; then the log must be opened anew, and asks for them.
    ///
    /// False, and nothing has changed, where so many can't be missing. Throws `disk`.
    package func reachBack() throws(EventLogError) -> Bool {
        try refuseIfPoisoned()
        guard state.base.index > 0, LogBounds.canHold(state.last.index, in: segments) else { return false }
        try poisoning { () throws(DiskError) in
            state.base = .beforeFirst
            for _ in 0..<2 { try storeSuperblock() }
        }
        poison = "it reaches back to the first entry, and must be opened anew"
        return true
    }

    /// The block of this name, for a peer that lacks it; nil when the log does not have it whole at this index.
    ///
    /// Verified before it is given: one that turns out to be rotten becomes a hole here as well.
    package func block(index: LogIndex, digest: Digest) throws(EventLogError) -> Entry? {
        guard let slot = state.slot(of: index), slot.digest == digest, slot.location != nil || reclaim(index) else { return nil }
        do {
            return try read(from: index, through: index, maxBytes: 0).first
        } catch {
            guard error.code == .damaged || error.code == .disk else { throw error }
            lose(index)
            return nil
        }
    }

    /// True when the log is whole at this index and holds another entry there, or ends before it; so it does not have
    /// the block of this name, and did not lose it either.
    package func neverHad(index: LogIndex, digest: Digest) -> Bool {
        guard !isEndLost, index > state.base.index else { return false }
        guard let slot = state.slot(of: index) else { return true }
        guard let held = slot.digest, held != digest else { return false }
        return missing.map { index >= $0.certainFrom } ?? true
    }

    /// Whether this very entry is in the log, its block missing or not, or is the one before the first.
    package func holds(_ entry: EntrySummary) -> Bool {
        entry.index == state.base.index
            ? state.base.digest == entry.digest : state.slot(of: entry.index)?.digest == entry.digest
    }

    /// Reading from this entry on has failed: whichever of the next blocks are unreadable are missing from now on.
    package func loseUnreadable(from index: LogIndex, through last: LogIndex) throws(EventLogError) {
        var next = max(index, state.base.index + 1)
        var looked = 0
        // One read takes no more blocks than this; those behind are found when they are read.
        while next <= min(last, state.last.index), looked < 4096 {
            if let digest = state.slot(of: next)?.digest { _ = try block(index: next, digest: digest) }
            next += 1
            looked += 1
        }
    }

    /// The block can't be read any more: from now on it is missing.
    func lose(_ index: LogIndex) {
        guard let slot = state.slot(of: index), slot.location != nil else { return }
        var lost = missing ?? MissingBlocks.whole(base: state.base, digests: state.slots.lazy.compactMap(\.digest))
        lost.lose(index)
        missing = lost
        if let digest = slot.digest, let location = slot.location { suspects[index] = (digest, location) }
        state.set(index, LogState.Slot(digest: slot.digest, location: nil))
    }

    /// Reads a block once more that could not be read: not every failed read means rot. True when it is there again.
    func reclaim(_ index: LogIndex) -> Bool {
        guard let suspect = suspects[index], var next = missing, let slot = state.slot(of: index) else { return false }
        guard slot.location == nil, slot.digest == suspect.digest else {
            suspects[index] = nil
            return false
        }
        let location = suspect.location
        guard let source = try? files.source(of: location),
            let bytes = try? disk.read(source.file, at: UInt64(location.offset), count: Int(location.length)),
            let entry = try? BlockCodec.parse(bytes, cluster: cluster), entry.digest == suspect.digest,
            case .accepted = next.take(entry)
        else { return false }
        suspects[index] = nil
        missing = next
        state.set(index, LogState.Slot(digest: entry.digest, location: location))
        forgetHolesIfClosed()
        return true
    }

    func forgetHolesIfClosed() {
        guard missing?.isEmpty == true else { return }
        missing = nil
        others.removeAll()
        corrupt.removeAll()
        suspects.removeAll()
    }
}
