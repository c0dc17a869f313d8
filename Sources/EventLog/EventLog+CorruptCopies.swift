package import Consensus

extension EventLog {
    /// What is left of a block that this log can't read whole, from its header on; nil when nothing is found, or the block is
    /// not missing here.
    ///
    /// Not to be trusted: it is for combining with what other nodes have. Where the block's place is unknown, since its header
    /// is corrupt too, the bytes between its neighbours are searched, `searchBytes` of them at most: for what is left of the
    /// header, and else for a frame that says that a block is behind it.
    package func corruptCopy(of block: MissingBlock, maxBytes: Int, searchBytes: Int) -> BlockCopy? {
        guard let slot = state.slot(of: block.index), slot.digest == block.digest, slot.location == nil else { return nil }
        if let location = location(ofCorrupt: block), let source = try? files.source(of: location) {
            return CorruptReading(source.file, on: disk, at: UInt64(location.offset), count: min(Int(location.length), maxBytes))
                .copy
        }
        let gap = LogGap(around: block.index, in: self, searchBytes: searchBytes)
        var best: CorruptHeader?
        for (segment, range) in gap.parts {
            let count = Int(range.upperBound - range.lowerBound)
            let reading = CorruptReading(segment.file, on: disk, at: range.lowerBound, count: count)
            guard let found = CorruptHeader.find(block, cluster: cluster, in: reading.copy, maxBytes: maxBytes) else { continue }
            if found.likeness > best?.likeness ?? 0 { best = found }
        }
        if let best { return best.copy }
        guard let (segment, place) = gap.frame(ofBlock: block.index, in: self) else { return nil }
        let count = min(Int(place.upperBound - place.lowerBound), maxBytes)
        return CorruptReading(segment.file, on: disk, at: place.lowerBound, count: count).copy
    }

    /// Where the corrupt block is known to lie.
    private func location(ofCorrupt block: MissingBlock) -> BlockLocation? {
        if let suspect = suspects[block.index], suspect.digest == block.digest { return suspect.location }
        return corrupt[block.digest]
    }

    /// Where a block that this log lacks is known to lie, corrupt.
    fileprivate func isPlaceKnown(of index: LogIndex) -> Bool {
        guard let digest = state.slot(of: index)?.digest else { return false }
        return location(ofCorrupt: MissingBlock(index: index, digest: digest)) != nil
    }
}

/// The parts of the segments between the next blocks before and behind an index that can be read.
private struct LogGap {
    var parts: [(segment: SegmentFile, range: Range<UInt64>)] = []
    private var before: (index: LogIndex, location: BlockLocation?)
    private var behind: (index: LogIndex, location: BlockLocation?)

    /// `searchBytes`: so many bytes at most.
    init(around index: LogIndex, in log: EventLog, searchBytes: Int) {
        func neighbour(_ indexes: StrideTo<Int>) -> (index: LogIndex, location: BlockLocation?)? {
            for index in indexes {
                guard let location = log.state.location(of: LogIndex(index)), !location.isPatch else { continue }
                return (LogIndex(index), location)
            }
            return nil
        }
        let (base, last) = (log.state.base.index, log.state.last.index)
        before = neighbour(stride(from: Int(index) - 1, to: Int(base), by: -1)) ?? (base, nil)
        behind = neighbour(stride(from: Int(index) + 1, to: Int(last) + 1, by: 1)) ?? (last + 1, nil)
        var left = UInt64(max(0, searchBytes))
        for segment in log.segments where left > 0 {
            var (start, end) = (UInt64(0), segment.number == log.segments.last?.number ? log.tail : segment.size)
            if let before = before.location {
                guard segment.number >= UInt64(before.segment) else { continue }
                if segment.number == UInt64(before.segment) { start = UInt64(before.offset) + UInt64(before.length) }
            }
            if let behind = behind.location {
                guard segment.number <= UInt64(behind.segment) else { continue }
                if segment.number == UInt64(behind.segment) { end = UInt64(behind.offset) }
            }
            guard start < end else { continue }
            end = min(end, start + left)
            left -= end - start
            parts.append((segment, start..<end))
        }
    }

    /// Where the block lies by what is left of the frames: nothing of its own header tells.
    ///
    /// A frame's prefix says how long the block behind it is, though its checksum no longer holds. Which block that is follows
    /// from the order alone, so there must be as many such frames as there are blocks whose places are unknown.
    func frame(ofBlock index: LogIndex, in log: EventLog) -> (SegmentFile, Range<UInt64>)? {
        let unknown = (before.index + 1..<behind.index).filter { !log.isPlaceKnown(of: $0) }
        guard let turn = unknown.firstIndex(of: index) else { return nil }
        let places = corruptFrames(in: log)
        return places.count == unknown.count ? places[turn] : nil
    }

    /// Where blocks lie, in order, in frames that are corrupt and in no place that is known.
    private func corruptFrames(in log: EventLog) -> [(SegmentFile, Range<UInt64>)] {
        var sequence = before.location.flatMap { frameNumber(of: $0, in: log) } ?? 0
        let end = behind.location.flatMap { frameNumber(of: $0, in: log) } ?? .max
        let located = log.corrupt.values + log.suspects.values.map(\.location)
        let known = Set(located.filter { !$0.isPatch }.map { UInt64($0.segment) << 32 | UInt64($0.offset) })
        var places: [(SegmentFile, Range<UInt64>)] = []
        for (segment, range) in parts {
            let reader = SegmentReader(segment, on: log.disk)
            var offset = range.lowerBound
            while offset < range.upperBound {
                let page = roundUp(offset, to: pageBytes)
                // Right behind the frame before, or on the next page, where a batch starts.
                let starts = [offset, page].lazy.compactMap { start in reader.prefix(at: start).map { (start, $0) } }
                guard let (start, prefix) = starts.first(where: { sequence < $0.1.sequence && $0.1.sequence < end }),
                    start + prefix.byteCount <= range.upperBound
                else {
                    offset = page + pageBytes
                    continue
                }
                sequence = prefix.sequence
                offset = start + prefix.byteCount
                let place = start + UInt64(FramePrefix.byteCount)..<offset
                let isKnown = known.contains(segment.number << 32 | place.lowerBound)
                if prefix.kind == .block, !isKnown, reader.frame(at: start) == nil { places.append((segment, place)) }
            }
        }
        return places
    }

    private func frameNumber(of location: BlockLocation, in log: EventLog) -> UInt64? {
        guard let segment = log.segments.first(where: { $0.number == UInt64(location.segment) }),
            UInt64(location.offset) >= UInt64(FramePrefix.byteCount)
        else { return nil }
        return SegmentReader(segment, on: log.disk).frame(at: UInt64(location.offset) - UInt64(FramePrefix.byteCount))?.sequence
    }
}

/// Bytes of a file, as far as the disk can read them: page by page where it can't read all at once.
private struct CorruptReading {
    var copy = BlockCopy(bytes: [])

    init(_ file: FileID, on disk: any Disk, at offset: UInt64, count: Int) {
        if let bytes = try? disk.read(file, at: offset, count: count) {
            copy.bytes = bytes
            return
        }
        while copy.bytes.count < count {
            let place = offset + UInt64(copy.bytes.count)
            let piece = min(count - copy.bytes.count, Int(pageBytes - place % pageBytes))
            if let page = try? disk.read(file, at: place, count: piece) {
                copy.bytes += page
                if page.count < piece { return }
            } else {
                let start = copy.bytes.count
                copy.bytes += [UInt8](repeating: 0, count: piece)
                if let last = copy.unreadable.last, last.upperBound == start {
                    copy.unreadable[copy.unreadable.count - 1] = last.lowerBound..<start + piece
                } else {
                    copy.unreadable.append(start..<start + piece)
                }
            }
        }
    }
}

/// Where a corrupt header seems to be, judged by the bytes that are known of it.
private struct CorruptHeader {
    /// How many of the bytes that are known of the header are right.
    var likeness: Int
    /// From there on.
    var copy: BlockCopy

    /// Another block's header has no more of them right, as a rule: those of the digest and a byte of the index differ.
    private static let enough = 30

    static func find(_ block: MissingBlock, cluster: UInt64, in region: BlockCopy, maxBytes: Int) -> CorruptHeader? {
        let known = BlockHeader.knownBytes(of: block, cluster: cluster).sorted { $0.key < $1.key }
        var template = [UInt8](repeating: 0, count: BlockHeader.byteCount)
        for (place, byte) in known { template[place] = byte }
        let found = region.bytes.withUnsafeBytes { region in
            template.withUnsafeBytes { best(in: region, like: $0, known) }
        }
        guard let (start, likeness) = found, likeness >= enough else { return nil }
        let end = region.bytes.withUnsafeBytes { start + min(length(of: $0, at: start), $0.count - start, maxBytes) }
        let unreadable = region.unreadable.map { $0.clamped(to: start..<end) }.filter { !$0.isEmpty }
        return CorruptHeader(
            likeness: likeness,
            copy: BlockCopy(
                bytes: Array(region.bytes[start..<end]),
                unreadable: unreadable.map { $0.lowerBound - start..<$0.upperBound - start }))
    }

    /// Looks closely where a word of the header that no other block has, or its first one, is right.
    private static func best(
        in region: UnsafeRawBufferPointer, like template: UnsafeRawBufferPointer, _ known: [(key: Int, value: UInt8)]
    ) -> (start: Int, likeness: Int)? {
        var best: (start: Int, likeness: Int)?
        let words = [0, 8, 96, 100, 104, 108].map { (place: $0, word: template.integer(at: $0, as: UInt32.self)) }
        guard region.count >= template.count else { return nil }
        for start in 0...region.count - template.count {
            guard words.contains(where: { region.integer(at: start + $0.place, as: UInt32.self) == $0.word }) else { continue }
            let likeness = known.count { region[start + $0.key] == $0.value }
            if likeness > best?.likeness ?? 0 { best = (start, likeness) }
        }
        return best
    }

    /// The length of the block where its header and the frame in front of it say the same, else no bound.
    private static func length(of region: UnsafeRawBufferPointer, at start: Int) -> Int {
        guard start >= FramePrefix.byteCount else { return .max }
        let frame: UInt32 = region.integer(at: start - FramePrefix.byteCount + 8)
        let stored: UInt32 = region.integer(at: start + 56)
        return UInt64(frame) == UInt64(stored) + UInt64(BlockHeader.byteCount) ? Int(frame) : .max
    }
}
