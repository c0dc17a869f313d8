package import Consensus

extension EventLog {
    /// Does the writes in order and returns when all are durable: one disk write and one sync, or one of each for
    /// every segment that they reach into.
    ///
    /// A new hard state goes into the superblock as well, with a write and a sync of its own, before this returns: one
    /// rotten frame then never loses a vote. So does the beginning of a segment, and a reset. Throws `tooLarge`, `noSpace`, `transient` and `missing`
    /// (a truncation to an entry whose block is missing) before anything is written. After any other error the log takes no more writes.
    /// A write that does not continue the log is a broken promise of the caller and stops the process.
    package func append(_ writes: [LogWrite]) throws(EventLogError) {
        try refuseIfPoisoned()
        let frames = try frameSizes(of: writes)
        try refuseTruncationIntoHole(writes)
        try makeRoom(for: frames)
        let (hardState, segment) = (state.hardState, segments[segments.count - 1].number)
        try poisoning { () throws(DiskError) in
            for write in writes { try add(write) }
            try flush()
            let isReset = writes.contains { $0.reset != nil }
            if isReset || state.hardState != hardState || segments[segments.count - 1].number != segment { try storeSuperblock() }
        }
    }

    /// A truncation's frame tells the entry that is then the last, which can't be told when its block is missing.
    private func refuseTruncationIntoHole(_ writes: [LogWrite]) throws(EventLogError) {
        guard let missing else { return }
        for case let first? in writes.map(\.truncateFrom) where first <= state.last.index && first > state.base.index + 1 {
            guard missing.isMissing(first - 1), missing.summary(at: first - 1) == nil else { continue }
            throw EventLogError(.missing, "the log can't end with entry \(first - 1), whose block is missing")
        }
    }

    /// The bytes of each of the writes' frames, in order. A truncation that turns out to do nothing counts as well.
    private func frameSizes(of writes: [LogWrite]) throws(EventLogError) -> [UInt64] {
        let overhead = UInt64(FramePrefix.byteCount)
        let largest = options.segmentBytes - 2 * overhead - UInt64(SegmentStart.byteCount)
        var sizes: [UInt64] = []
        for write in writes {
            if write.hardState != nil { sizes.append(overhead + UInt64(HardState.encodedBytes)) }
            if write.truncateFrom != nil { sizes.append(overhead + UInt64(EntrySummary.encodedBytes)) }
            if write.reset != nil { sizes.append(overhead + UInt64(EntrySummary.encodedBytes)) }
            for entry in write.entries {
                let count = UInt64(entry.block.count)
                guard count <= largest else {
                    throw EventLogError(.tooLarge, "entry \(entry.index) has \(count) bytes; a segment takes at most \(largest)")
                }
                sizes.append(overhead + count)
            }
        }
        return sizes
    }

    /// Each frame is added before the state changes: a roll on the way tells the state as it was before the frame.
    private func add(_ write: LogWrite) throws(DiskError) {
        let commit = max(state.commit, write.commit)
        if let hardState = write.hardState {
            // The write's commit holds for the log as it is once a truncation is done, not before.
            let known = write.truncateFrom == nil && write.reset == nil ? commit : state.commit
            try add(.hardState, payloadBytes: HardState.encodedBytes, commit: known) { hardState.write(to: $0, at: 0) }
            state.hardState = hardState
        }
        if let first = write.truncateFrom, first <= state.last.index {
            precondition(
                first > state.base.index, "truncation from \(first), but entries up to \(state.base.index) were released")
            let newLast = try summary(of: first - 1)
            try add(.truncate, payloadBytes: EntrySummary.encodedBytes, commit: commit) { newLast.write(to: $0, at: 0) }
            state.truncate(to: newLast)
            missing?.truncate(to: newLast.index)
            forgetHolesIfClosed()
        }
        if let base = write.reset {
            try add(.reset, payloadBytes: EntrySummary.encodedBytes, commit: commit) { base.write(to: $0, at: 0) }
            state.reset(to: base)
            missing = nil
            others = [:]
            corrupt = [:]
        }
        for entry in write.entries { try add(entry, commit: commit) }
        state.commit = commit
    }

    private func add(_ entry: Entry, commit: LogIndex) throws(DiskError) {
        let last = state.last
        precondition(
            entry.index == last.index + 1 && entry.parent == last.digest && entry.term >= last.term,
            "entry \(entry.index) of term \(entry.term) does not follow entry \(last.index) of term \(last.term)")
        try add(.block, payloadBytes: entry.block.count, commit: commit) { $0.copyBytes(from: entry.block) }
        let end = tail + UInt64(batch.count)
        let location = BlockLocation(
            segment: UInt32(segments[segments.count - 1].number), offset: UInt32(end - UInt64(entry.block.count)),
            length: UInt32(entry.block.count))
        state.append(entry.summary, at: location)
        missing?.append(entry.summary)
        counters.blocks += 1
        counters.rawBytes += UInt64(BlockCodec.rawByteCount(of: entry))
        counters.storedBytes += UInt64(entry.block.count)
    }

    /// Adds a frame to the batch, in the next segment when this one is full.
    func add(
        _ kind: FrameKind, payloadBytes: Int, commit: LogIndex, fill: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(DiskError) {
        let need = UInt64(FramePrefix.byteCount + payloadBytes)
        if kind != .segmentStart, tail + UInt64(batch.count) + need > segments[segments.count - 1].room {
            try flush()
            try roll(behind: segments[segments.count - 1].number)
        }
        sequence += 1
        let prefix = FramePrefix(
            kind: kind, payloadLength: UInt32(payloadBytes), incarnation: superblock.incarnation, sequence: sequence,
            durable: durable, commit: commit)
        batch.add(prefix, fill: fill)
        counters.frames += 1
    }

    /// Writes the batch and returns when it is durable.
    func flush() throws(DiskError) {
        guard batch.count > 0 else { return }
        batch.pad()
        let segment = segments[segments.count - 1]
        precondition(tail + UInt64(batch.count) <= segment.room, "a batch that runs over the end of \(segment.name)")
        counters.writes += 1
        counters.diskBytes += UInt64(batch.count)
        try disk.write(segment.file, at: tail, batch.bytes)
        counters.syncs += 1
        try disk.sync(segment.file)
        lastBatch = tail
        tail += UInt64(batch.count)
        durable = sequence
        batch.removeAll()
    }

    /// Goes on in a new segment. Its name is durable before a byte is written to it.
    func roll(behind last: UInt64) throws(DiskError) {
        if spares.isEmpty { try findSpares() }
        if spares.isEmpty { try makeSpare() }
        let number = last + 1
        let spare = spares.removeFirst()
        try disk.rename(spare.name, to: FileNames.segment(number))
        try disk.syncFolder()
        segments.append(SegmentFile(number: number, file: spare.file, size: options.segmentBytes))
        tail = 0
        let start = SegmentStart(
            segment: number, cluster: cluster, node: superblock.identity.node, hardState: state.hardState, last: state.last)
        try add(.segmentStart, payloadBytes: SegmentStart.byteCount, commit: state.commit) { start.write(to: $0) }
    }

    /// The summary of an entry that the log holds, or of the one before it all; its header may still be in the batch.
    func summary(of index: LogIndex) throws(DiskError) -> EntrySummary {
        if index == state.base.index { return state.base }
        if index == state.last.index { return state.last }
        if let known = missing?.summary(at: index) { return known }
        guard let slot = state.slot(of: index) else { preconditionFailure("entry \(index) is not in the log") }
        // It was lost while the log was open; a peer may yet give it back.
        guard let location = slot.location else { throw DiskError(.notFound, "the block of entry \(index) is missing") }
        let source = try files.source(of: location)
        let parsed: Result<(BlockHeader, Digest), BlockError>
        if !location.isPatch, UInt64(location.segment) == segments[segments.count - 1].number, UInt64(location.offset) >= tail {
            let start = Int(UInt64(location.offset) - tail)
            parsed = BlockHeader.parse(batch.bytes.part(start..<start + BlockHeader.byteCount), cluster: cluster)
        } else {
            let bytes = try disk.read(source.file, at: UInt64(location.offset), count: BlockHeader.byteCount)
            parsed = bytes.withUnsafeBytes { BlockHeader.parse($0, cluster: cluster) }
        }
        guard case .success((let header, let digest)) = parsed, header.index == index else {
            throw DiskError(.failed, "\(source.name): entry \(index) at offset \(location.offset) is damaged")
        }
        return header.summary(digest: digest)
    }
}
