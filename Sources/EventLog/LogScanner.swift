import Consensus

/// Reads every frame that can be read, in the order of writing, and notes where some are missing.
///
/// A frame comes next when its checksum holds, its sequence is one more than the last, and its incarnation is not
/// less. Frames lie right behind one another, or on the next page, where a batch starts. Where neither is the next one,
/// reading goes on at the first frame behind it that is newer: `LogScanner+Resync`. The bytes that a recycled segment
/// still holds have smaller sequences, and those behind a torn tail that was cut off have other incarnations (`Openings`).
struct LogScanner {
    let segments: [SegmentFile]
    let cluster: UInt64
    let node: UInt64
    private let openings: Openings
    var catalog = FrameCatalog()
    /// The starts of the segments behind the one at hand. A frame that is newer by its number, but not by its incarnation,
    /// was cut off before they were written.
    private var limits: [FramePrefix] = []
    /// Frames behind it were cut off.
    private let end: UInt64

    private init(_ segments: [SegmentFile], cluster: UInt64, node: UInt64, superblock: Superblock?, end: UInt64?) {
        self.segments = segments
        self.cluster = cluster
        self.node = node
        openings = Openings(superblock)
        self.end = end ?? .max
        catalog.covered = max(superblock?.durable ?? 0, end ?? 0)
        // Of a log whose first segments were released, the first one that is left starts the numbers.
        isFirst = true
        firstSegment = superblock.map { $0.notes?.firstSegment ?? 1 }
    }

    private var isFirst: Bool
    /// Nil when no superblock tells.
    private let firstSegment: UInt64?

    /// `segments`: those that were not released. `end`: the last frame that counts, when those behind it are to be cut off.
    static func scan(
        _ segments: [SegmentFile], on disk: any Disk, cluster: UInt64, node: UInt64, superblock: Superblock?,
        through end: UInt64? = nil
    ) -> FrameCatalog {
        var scanner = LogScanner(segments, cluster: cluster, node: node, superblock: superblock, end: end)
        scanner.limits = segments.compactMap { scanner.start(SegmentReader($0, on: disk))?.0 }
        for (place, segment) in segments.enumerated() {
            let reader = SegmentReader(segment, on: disk)
            if let (prefix, _) = scanner.start(reader) { scanner.limits.removeAll { $0 == prefix } }
            scanner.catalog.ends.append(0)
            if scanner.noteNewer(reader, at: [0], place: place) { break }
            if let offset = scanner.takeStart(reader, at: place) {
                scanner.takeFrames(reader, from: offset, at: place)
            } else {
                scanner.passOver(reader)
            }
            if let failure = reader.failure { scanner.catalog.failure = (failure, place) }
        }
        let catalog = scanner.catalog
        // The next opening will not see what is cut off now. Where frames before it can't be read, this one must not have
        // passed anything over for its sake: both find the same. What a page holds that the disk may yet read is not known.
        guard end == nil, catalog.failure == nil, let rotten = catalog.rottenEnd else { return catalog }
        return scan(segments, on: disk, cluster: cluster, node: node, superblock: superblock, through: rotten)
    }

    /// The segment's own first frame, when it is whole and of this log.
    private func start(_ reader: SegmentReader) -> (FramePrefix, SegmentStart)? {
        guard let (prefix, start) = anyStart(reader), let start, start.segment == reader.segment.number,
            start.cluster == cluster, start.node == node
        else { return nil }
        return (prefix, start)
    }

    private func anyStart(_ reader: SegmentReader) -> (FramePrefix, SegmentStart?)? {
        guard let prefix = reader.frame(at: 0), prefix.kind == .segmentStart else { return nil }
        return reader.payload(of: prefix, at: 0) { (prefix, SegmentStart($0)) }
    }

    /// Where to go on in the segment; nil when it is not of this log, such as one that was used before and not yet again.
    private mutating func takeStart(_ reader: SegmentReader, at place: Int) -> UInt64? {
        guard let (prefix, _) = anyStart(reader) else { return 0 }
        catalog.highestIncarnation = max(catalog.highestIncarnation, prefix.incarnation)
        guard let (_, start) = start(reader) else { return nil }
        if isFirst, firstSegment ?? start.segment == start.segment { catalog.mark.sequence = prefix.sequence - 1 }
        guard follows(prefix) else { return nil }
        if prefix.sequence > catalog.mark.sequence + 1 {
            note(FrameGap(before: catalog.mark, through: prefix.sequence - 1))
        }
        catalog.starts.append((prefix.sequence, start))
        catalog.hardStates.append((prefix.sequence, start.hardState))
        accept(prefix, place: place, at: 0)
        return prefix.byteCount
    }

    /// The segment will be used again, and what it holds must not count then.
    private mutating func passOver(_ reader: SegmentReader) {
        var offset: UInt64 = 0
        while offset < reader.segment.size {
            if let prefix = reader.frame(at: offset) {
                catalog.highestIncarnation = max(catalog.highestIncarnation, prefix.incarnation)
                offset += prefix.byteCount
            } else {
                offset = roundUp(offset + 1, to: pageBytes)
            }
        }
    }

    /// Newer than what was read, and not of a time that is over.
    func follows(_ prefix: FramePrefix) -> Bool {
        guard prefix.sequence > catalog.mark.sequence, prefix.sequence <= end else { return false }
        for start in limits where prefix.sequence >= start.sequence && prefix.incarnation <= start.incarnation { return false }
        return prefix.incarnation >= catalog.mark.incarnation && openings.admit(prefix)
    }

    private mutating func takeFrames(_ reader: SegmentReader, from start: UInt64, at place: Int) {
        var offset = start
        while true {
            let page = roundUp(offset, to: pageBytes)
            let places = page == offset ? [page] : [offset, page]
            // A frame whose body was torn and that was cut off may stand before the one that came in its place.
            if let end = places.firstNonNil({ take(reader, at: $0, place: place, isWhole: true) }) {
                offset = end
            } else if let end = places.firstNonNil({ take(reader, at: $0, place: place, isWhole: false) }) {
                offset = end
            } else if noteNewer(reader, at: places, place: place) {
                return
            } else if let next = resync(reader, from: offset, place: place) {
                offset = next
            } else {
                return
            }
        }
    }

    /// Whether a newer version wrote a frame at one of these places. The folder is refused then.
    private mutating func noteNewer(_ reader: SegmentReader, at places: [UInt64], place: Int) -> Bool {
        for offset in places {
            guard let what = reader.newerFrame(at: offset) else { continue }
            catalog.newer = catalog.newer ?? (what, place)
            return true
        }
        return false
    }

    /// Where the frame ends, when it is the next one.
    private mutating func take(_ reader: SegmentReader, at offset: UInt64, place: Int, isWhole: Bool) -> UInt64? {
        guard let prefix = reader.frame(at: offset) else { return nil }
        catalog.highestIncarnation = max(catalog.highestIncarnation, prefix.incarnation)
        guard prefix.sequence == catalog.mark.sequence + 1, follows(prefix) else { return nil }
        guard apply(prefix, reader, at: offset, isWhole: isWhole) else { return nil }
        accept(prefix, place: place, at: offset)
        return offset + prefix.byteCount
    }

    private mutating func accept(_ prefix: FramePrefix, place: Int, at offset: UInt64) {
        isFirst = false
        catalog.mark = FrameMark(
            sequence: prefix.sequence, incarnation: prefix.incarnation, commit: prefix.commit, place: place,
            end: offset + prefix.byteCount, frames: catalog.mark.frames + 1)
        catalog.ends[place] = catalog.mark.end
        catalog.covered = max(catalog.covered, prefix.durable)
    }

    func isSound(_ prefix: FramePrefix, _ reader: SegmentReader, at offset: UInt64) -> Bool {
        reader.payload(of: prefix, at: offset) { payload in
            switch prefix.kind {
            case .segmentStart: false
            case .hardState: HardState(payload, at: 0) != nil
            case .truncate, .reset: EntrySummary(payload, at: 0) != nil
            case .block: (try? BlockHeader.parse(payload, cluster: cluster).get()) != nil
            }
        } ?? false
    }

    /// Files what the frame says; false when it can't be one.
    private mutating func apply(_ prefix: FramePrefix, _ reader: SegmentReader, at offset: UInt64, isWhole: Bool) -> Bool {
        switch prefix.kind {
        case .segmentStart:
            return false
        case .hardState:
            guard let hardState = reader.payload(of: prefix, at: offset, { HardState($0, at: 0) }) ?? nil else { return false }
            catalog.hardStates.append((prefix.sequence, hardState))
            return true
        case .truncate:
            guard let last = reader.payload(of: prefix, at: offset, { EntrySummary($0, at: 0) }) ?? nil else { return false }
            catalog.truncations.append((prefix.sequence, last))
            return true
        case .reset:
            guard let base = reader.payload(of: prefix, at: offset, { EntrySummary($0, at: 0) }) ?? nil else { return false }
            catalog.resets.append((prefix.sequence, base))
            return true
        case .block:
            guard
                let block = reader.block(at: offset + UInt64(FramePrefix.byteCount), cluster: cluster, sequence: prefix.sequence),
                block.location.length == prefix.payloadLength, block.isWhole || !isWhole
            else { return false }
            catalog.blocks.append(block)
            // The header is as good as the frame's checksum says; the body is lost alone.
            if !block.isWhole {
                note(
                    FrameGap(
                        before: catalog.mark, through: prefix.sequence, kind: .block,
                        seen: offset..<offset + prefix.byteCount))
            }
            return true
        }
    }

    mutating func note(_ gap: FrameGap) {
        // What stands in the place of a missing frame counts only because that frame is known to be missing.
        if let block = catalog.salvaged, block.sequence == gap.before.sequence + 1 { catalog.blocks.append(block) }
        catalog.salvaged = nil
        catalog.gaps.append(gap)
    }
}

extension [UInt64] {
    /// What the first element gives that gives anything.
    fileprivate func firstNonNil(_ body: (UInt64) -> UInt64?) -> UInt64? {
        for element in self { if let value = body(element) { return value } }
        return nil
    }
}
