import Consensus

/// Adds up what was read: where the log ends, what it holds, what it lacks.
///
/// What a later frame or the superblock knows to be durable was acknowledged: where it can't be read it is rot, and its
/// place is kept. What nothing covers was never acknowledged: it and everything behind it is a torn tail and goes.
struct LogAssembly {
    let segments: [SegmentFile]
    let superblock: SuperblockFile
    let patches: [ScannedBlock]
    var catalog: FrameCatalog
    var scan = LogScan()
    /// Where the acknowledged frames at the end can't be read.
    var endGap: FrameGap?

    /// `patches`: blocks that were fetched from peers.
    static func assemble(
        _ catalog: FrameCatalog, patches: [ScannedBlock], segments: [SegmentFile], superblock: SuperblockFile, on disk: any Disk
    ) throws(EventLogError) -> LogScan {
        var assembly = LogAssembly(segments: segments, superblock: superblock, patches: patches, catalog: catalog)
        assembly.cutTornTail()
        try assembly.judgeFailure()
        try assembly.judgeEnd(on: disk)
        try assembly.findEntries()
        assembly.findHardState()
        assembly.finish()
        return assembly.scan
    }

    private init(segments: [SegmentFile], superblock: SuperblockFile, patches: [ScannedBlock], catalog: FrameCatalog) {
        self.segments = segments
        self.superblock = superblock
        self.patches = patches
        self.catalog = catalog
    }

    /// Where acknowledged frames can't be read.
    var gaps: [FrameGap] { catalog.gaps + (endGap.map { [$0] } ?? []) }

    var notes: SuperblockNotes? { superblock.newest?.notes }

    // MARK: Torn or rotten?

    private mutating func cutTornTail() {
        let all = catalog.mark
        var mark = all
        if let first = catalog.tornGap {
            let gap = catalog.gaps[first]
            mark = gap.before
            noteTorn(behind: mark, frames: all.frames - mark.frames + (isCounted(gap) ? 0 : 1), seen: gap.seen)
            catalog.gaps.removeSubrange(first...)
        } else if let trace = catalog.trace, trace.sequence == mark.sequence, catalog.covered <= mark.sequence {
            noteTorn(behind: mark, frames: 1, seen: trace.seen)
        }
        if catalog.covered > mark.sequence {
            endGap = FrameGap(before: mark, through: catalog.covered)
            if let block = catalog.salvaged, block.sequence == mark.sequence + 1 { catalog.blocks.append(block) }
            scan.torn = nil
        }
        catalog.cut(behind: max(mark.sequence, catalog.covered))
        scan.sequence = max(mark.sequence, catalog.covered)
        // Those that are cut off too: without a superblock they alone tell how often the folder was opened.
        scan.incarnation = max(mark.incarnation, catalog.highestIncarnation)
        scan.frames = mark.frames
        scan.tailSegment = mark.place
        scan.end = mark.end
        scan.state.commit = mark.commit
    }

    /// A block with a torn body was taken as a frame.
    private func isCounted(_ gap: FrameGap) -> Bool {
        catalog.blocks.contains { $0.sequence == gap.through && !$0.isWhole && gap.kind == .block }
            && gap.through == gap.before.sequence + 1
    }

    private mutating func noteTorn(behind mark: FrameMark, frames: Int, seen: Range<UInt64>?) {
        guard !segments.isEmpty else { return }
        let cut = seen?.lowerBound ?? roundUp(mark.end, to: pageBytes)
        let lastSeen = max(seen?.upperBound ?? 0, catalog.ends[mark.place])
        let end = min(lastSeen, segments[mark.place].size)
        scan.torn = TornTail(
            file: segments[mark.place].name, offset: cut, frames: frames, bytes: end > cut ? end - cut : 0)
    }

    /// A page that can't be read counts as rotten where more is known to follow. At the end it may hold anything, and the
    /// disk may yet give it back: nothing must be written that takes it for lost.
    private func judgeFailure() throws(EventLogError) {
        guard let failure = catalog.failure, failure.place >= scan.tailSegment else { return }
        throw EventLogError(failure.error)
    }

    /// Whether anything was acknowledged behind the last frame that can be read, and whether it is known what.
    private mutating func judgeEnd(on disk: any Disk) throws(EventLogError) {
        scan.isEndLost = notes?.isEndLost ?? false
        scan.isEndRotten = endGap != nil
        guard let notes else {
            if endGap != nil { scan.isEndLost = true }
            return
        }
        let tail = segments.first { $0.number == notes.tailSegment }
        if endGap != nil {
            var isTrusted = superblock.isCertain
            if isTrusted { isTrusted = try isEndTrusted(notes, tail, on: disk) }
            scan.isEndLost = scan.isEndLost || !isTrusted
        }
        // Of a file that was cut short, what was behind the cut is unknown, unless frames end before it.
        if let tail, tail.size < notes.tailBytes, segments[scan.tailSegment].number <= tail.number,
            segments[scan.tailSegment].number < tail.number || scan.tailOffset >= tail.size
        {
            scan.isEndRotten = true
            scan.isEndLost = true
        }
    }

    /// The rotten frames are the last ones: the superblock was written behind them, they have left something in their
    /// place, and nothing was begun behind them.
    ///
    /// Where whole pages are gone, what came after the superblock was written may be gone with them.
    private func isEndTrusted(_ notes: SuperblockNotes, _ tail: SegmentFile?, on disk: any Disk) throws(EventLogError) -> Bool {
        guard let tail, let newest = superblock.newest, newest.durable == catalog.covered else { return false }
        guard notes.tailOffset >= pageBytes, tail.size >= notes.tailOffset else { return false }
        let reader = SegmentReader(tail, on: disk)
        let isLeft = reader.bytes(at: notes.tailOffset - pageBytes, count: pageBytes) { page in page.contains { $0 != 0 } }
        let next = reader.prefix(at: notes.tailOffset)
        if let failure = reader.failure { throw EventLogError(failure) }
        guard isLeft == true else { return false }
        guard let next, next.sequence > newest.durable else { return true }
        // What an earlier opening had left there says nothing. Anything else was begun by this one, or was until it rotted.
        return next.incarnation < newest.incarnation && !Openings(newest).admit(next)
    }
}
