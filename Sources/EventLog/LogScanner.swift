import Consensus

/// Reads frames in order until one is not the next, and adds up what they say.
///
/// A frame is the next one when its checksum holds, its sequence is one more than the last, its incarnation is not
/// less, and an entry's parent is the entry before it. So the bytes that a recycled segment still holds, and those
/// behind a torn tail that was cut off, end the scan wherever they lie.
struct LogScanner {
    private let disk: any Disk
    private let segments: [SegmentFile]
    private let cluster: UInt64
    private let node: UInt64
    /// The last frame that the superblock knows to be durable.
    private let durable: UInt64
    private var scan = LogScan()

    private init(_ segments: [SegmentFile], on disk: any Disk, superblock: Superblock) {
        self.disk = disk
        self.segments = segments
        cluster = BlockCodec.clusterTag(superblock.identity.cluster)
        node = superblock.identity.node
        durable = superblock.durable
    }

    static func scan(_ segments: [SegmentFile], on disk: any Disk, superblock: Superblock) throws(DiskError) -> LogScan {
        var scanner = LogScanner(segments, on: disk, superblock: superblock)
        for (place, segment) in segments.enumerated() {
            let reader = SegmentReader(segment, on: disk)
            guard try scanner.takeStart(reader, at: place) else { break }
            try scanner.takeFrames(reader)
        }
        try scanner.classifyTail()
        scanner.scan.state.commit = min(scanner.scan.state.commit, scanner.scan.state.last.index)
        return scanner.scan
    }

    // MARK: Frames in order

    /// True when the segment begins with the frame that comes next.
    private mutating func takeStart(_ reader: SegmentReader, at place: Int) throws(DiskError) -> Bool {
        guard let prefix = try reader.frame(at: 0), prefix.kind == .segmentStart,
            let range = try reader.payload(of: prefix, at: 0),
            let start = reader.window.withUnsafeBytes({ SegmentStart($0.part(range)) }),
            start.segment == reader.segment.number, start.cluster == cluster, start.node == node
        else { return false }
        if place == 0 {
            scan.state.base = start.last
            scan.state.last = start.last
            scan.state.hardState = start.hardState
        } else {
            guard start.segment == segments[place - 1].number + 1, isNext(prefix) else { return false }
            guard start.last == scan.state.last, start.hardState == scan.state.hardState else { return false }
        }
        scan.tailSegment = place
        accept(prefix, at: 0)
        return true
    }

    /// Takes frames as long as each is the next: right behind the last, or on the next page, where a batch starts.
    private mutating func takeFrames(_ reader: SegmentReader) throws(DiskError) {
        var offset = UInt64(FramePrefix.byteCount + SegmentStart.byteCount)
        while true {
            if let end = try take(reader, at: offset) {
                offset = end
                continue
            }
            let page = roundUp(offset, to: pageBytes)
            guard page != offset, let end = try take(reader, at: page) else { return }
            offset = end
        }
    }

    /// Where the frame ends, when it is the next one.
    private mutating func take(_ reader: SegmentReader, at offset: UInt64) throws(DiskError) -> UInt64? {
        guard let prefix = try reader.frame(at: offset), isNext(prefix),
            let range = try reader.payload(of: prefix, at: offset)
        else { return nil }
        let location = BlockLocation(
            segment: UInt32(reader.segment.number), offset: UInt32(offset) + UInt32(FramePrefix.byteCount),
            length: prefix.payloadLength)
        let applied = reader.window.withUnsafeBytes { apply(prefix.kind, $0.part(range), at: location) }
        guard applied else { return nil }
        accept(prefix, at: offset)
        return offset + prefix.byteCount
    }

    private func isNext(_ prefix: FramePrefix) -> Bool {
        prefix.sequence == scan.sequence + 1 && prefix.incarnation >= scan.incarnation
    }

    private mutating func accept(_ prefix: FramePrefix, at offset: UInt64) {
        scan.sequence = prefix.sequence
        scan.incarnation = prefix.incarnation
        scan.state.commit = prefix.commit
        scan.end = offset + prefix.byteCount
    }

    private mutating func apply(_ kind: FrameKind, _ payload: UnsafeRawBufferPointer, at location: BlockLocation) -> Bool {
        switch kind {
        case .segmentStart:
            return false
        case .hardState:
            scan.state.hardState = HardState(payload, at: 0)
            return true
        case .truncate:
            return truncate(to: EntrySummary(payload, at: 0))
        case .reset:
            guard let base = EntrySummary(payload, at: 0) else { return false }
            scan.state.reset(to: base)
            scan.entries.removeAll()
            return true
        case .block:
            guard case .success((let header, let digest)) = BlockCodec.verify(payload, cluster: cluster) else { return false }
            let last = scan.state.last
            guard header.index == last.index + 1, header.parent == last.digest, header.term >= last.term else { return false }
            let summary = header.summary(digest: digest)
            scan.state.append(summary, at: location)
            scan.entries.append(summary)
            scan.rawBytes += UInt64(header.rawLength)
            scan.storedBytes += UInt64(payload.count)
            return true
        }
    }

    private mutating func truncate(to newLast: EntrySummary?) -> Bool {
        guard let newLast, newLast.index <= scan.state.last.index else { return false }
        let base = scan.state.base
        if newLast.index > base.index {
            let kept = Int(newLast.index - base.index)
            guard scan.entries[kept - 1] == newLast else { return false }
            scan.entries.removeLast(scan.entries.count - kept)
        } else {
            scan.entries.removeAll()
        }
        scan.state.truncate(to: newLast)
        return true
    }

    // MARK: The end: torn or rotten?

    /// An invalid frame that anything written later knows to be durable was acknowledged: it is rot. One that
    /// nothing covers was never acknowledged: it and all behind it may go.
    private mutating func classifyTail() throws(DiskError) {
        guard scan.sequence > 0, !segments.isEmpty else {
            scan.damage = LogDamage(file: segments.first?.name ?? FileNames.segment(1), offset: 0, from: 1, through: nil)
            return
        }
        let next = scan.sequence + 1
        let from = scan.state.last.index + 1
        var torn = try tornInBatch(sequence: next)
        for place in scan.tailSegment..<segments.count {
            let reader = SegmentReader(segments[place], on: disk)
            var offset = place == scan.tailSegment ? scan.tailOffset : 0
            while let prefix = try laterFrame(reader, from: &offset, sequence: next) {
                if prefix.durable >= next {
                    let through = try lastIndexBefore(reader, offset)
                    scan.damage = LogDamage(
                        file: segments[scan.tailSegment].name, offset: scan.end, from: from, through: through)
                    return
                }
                note(prefix, in: place, at: offset, &torn)
                offset += pageBytes
            }
        }
        if durable >= next {
            scan.damage = LogDamage(file: segments[scan.tailSegment].name, offset: scan.end, from: from, through: nil)
        }
        scan.torn = torn
    }

    /// Behind a whole frame of the last batch may be one that was torn: it does not begin on a page of its own.
    private func tornInBatch(sequence: UInt64) throws(DiskError) -> TornTail? {
        let segment = segments[scan.tailSegment]
        guard scan.end % pageBytes != 0, let prefix = try SegmentReader(segment, on: disk).prefix(at: scan.end),
            prefix.sequence == sequence, prefix.durable < sequence, prefix.incarnation >= scan.incarnation
        else { return nil }
        return TornTail(
            file: segment.name, offset: scan.end, frames: 1, bytes: min(prefix.byteCount, segment.size - scan.end))
    }

    /// The next frame on a page's start at or behind `offset` that is not older than `sequence`; moves `offset` to it.
    /// A torn frame counts at the place where the scan ended, so that it is reported.
    private func laterFrame(_ reader: SegmentReader, from offset: inout UInt64, sequence: UInt64) throws(DiskError)
        -> FramePrefix?
    {
        while offset < reader.segment.size {
            if let prefix = try reader.prefix(at: offset), prefix.sequence >= sequence {
                if let frame = try reader.frame(at: offset) { return frame }
                if prefix.sequence == sequence, prefix.durable < sequence { return prefix }
            }
            offset += pageBytes
        }
        return nil
    }

    private func note(_ prefix: FramePrefix, in place: Int, at offset: UInt64, _ torn: inout TornTail?) {
        guard prefix.incarnation >= scan.incarnation else { return }
        var tail = torn ?? TornTail(file: segments[scan.tailSegment].name, offset: scan.tailOffset, frames: 0, bytes: 0)
        tail.frames += 1
        if place == scan.tailSegment {
            tail.bytes = max(tail.bytes, min(offset + prefix.byteCount, segments[place].size) - tail.offset)
        }
        torn = tail
    }

    /// The last entry before what the frames from `offset` on hold, when they tell.
    private func lastIndexBefore(_ reader: SegmentReader, _ start: UInt64) throws(DiskError) -> LogIndex? {
        var offset = start
        while let prefix = try reader.frame(at: offset), let range = try reader.payload(of: prefix, at: offset) {
            let index: LogIndex? = reader.window.withUnsafeBytes { window in
                let payload = window.part(range)
                switch prefix.kind {
                case .block: return payload.integer(at: 24, as: UInt64.self) &- 1
                case .segmentStart: return SegmentStart(payload)?.last.index
                case .hardState, .truncate, .reset: return nil
                }
            }
            if let index { return index }
            offset += prefix.byteCount
        }
        return nil
    }
}
