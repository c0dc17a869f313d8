package import Consensus

extension EventLog {
    /// What is left of a block that this log can't read whole, from its header on; nil when nothing is found, or the block is
    /// not missing here.
    ///
    /// Not to be trusted: it is for combining with what other nodes have. Where the block's place is unknown, since its header
    /// is corrupt too, the bytes between its neighbours are searched, `searchBytes` of them at most.
    package func corruptCopy(of block: MissingBlock, maxBytes: Int, searchBytes: Int) -> BlockCopy? {
        guard let slot = state.slot(of: block.index), slot.digest == block.digest, slot.location == nil else { return nil }
        if let location = location(ofCorrupt: block), let source = try? files.source(of: location) {
            return CorruptReading(source.file, on: disk, at: UInt64(location.offset), count: min(Int(location.length), maxBytes))
                .copy
        }
        var left = searchBytes
        var best: CorruptHeader?
        for (segment, range) in gap(around: block.index) where left > 0 {
            let count = min(left, Int(range.upperBound - range.lowerBound))
            left -= count
            let reading = CorruptReading(segment.file, on: disk, at: range.lowerBound, count: count)
            guard let found = CorruptHeader.find(block, cluster: cluster, in: reading.copy, maxBytes: maxBytes) else { continue }
            if found.likeness > best?.likeness ?? 0 { best = found }
        }
        return best?.copy
    }

    /// Where the corrupt block is known to lie.
    private func location(ofCorrupt block: MissingBlock) -> BlockLocation? {
        if let suspect = suspects[block.index], suspect.digest == block.digest { return suspect.location }
        return corrupt[block.digest]
    }

    /// The parts of the segments between the next blocks before and behind the index that can be read.
    private func gap(around index: LogIndex) -> [(SegmentFile, Range<UInt64>)] {
        func location(_ index: LogIndex) -> BlockLocation? { state.location(of: index).flatMap { $0.isPatch ? nil : $0 } }
        let before = stride(from: Int(index) - 1, to: Int(state.base.index), by: -1).lazy.compactMap { location(LogIndex($0)) }
            .first
        let behind = stride(from: Int(index) + 1, through: Int(state.last.index), by: 1).lazy.compactMap {
            location(LogIndex($0))
        }.first
        return segments.compactMap { segment in
            var (start, end) = (UInt64(0), segment.number == segments.last?.number ? tail : segment.size)
            if let before {
                guard segment.number >= UInt64(before.segment) else { return nil }
                if segment.number == UInt64(before.segment) { start = UInt64(before.offset) + UInt64(before.length) }
            }
            if let behind {
                guard segment.number <= UInt64(behind.segment) else { return nil }
                if segment.number == UInt64(behind.segment) { end = UInt64(behind.offset) }
            }
            return start < end ? (segment, start..<end) : nil
        }
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
