import Consensus

extension LogScanner {
    /// Where reading goes on when the frame behind `offset` can't be read; nil when nothing newer is in the segment.
    ///
    /// What is left of that frame may tell where it ends; else the next page is looked at, and the next. A frame there
    /// must be newer than the missing one. Bytes inside a block's body that look like a frame could be taken for one only if
    /// they lie on a page's start inside a block that rotted where its length stands; and even then they can't join the
    /// chain of parents.
    mutating func resync(_ reader: SegmentReader, from offset: UInt64, place: Int) -> UInt64? {
        let page = roundUp(offset, to: pageBytes)
        catalog.salvaged = nil
        var seen: Range<UInt64>?
        for start in offset == page ? [page] : [offset, page] {
            guard let end = remains(reader, at: start) else { continue }
            seen = seen ?? start..<end
            for next in [end, roundUp(end, to: pageBytes)] {
                if let prefix = newer(reader, at: next), prefix.sequence == catalog.mark.sequence + 2 {
                    let kind = next == end ? Self.kind(ofFrameBytes: end - start) : nil
                    skip(to: prefix, kind: kind, seen: start..<end)
                    return next
                }
            }
        }
        var next = page
        while next < reader.segment.size {
            if let prefix = newer(reader, at: next), prefix.sequence > catalog.mark.sequence + 1 {
                skip(to: prefix, kind: nil, seen: seen)
                return next
            }
            next += pageBytes
        }
        if place == catalog.mark.place { catalog.trace = seen.map { (catalog.mark.sequence, $0) } }
        return nil
    }

    private mutating func newer(_ reader: SegmentReader, at offset: UInt64) -> FramePrefix? {
        guard let prefix = reader.frame(at: offset) else { return nil }
        catalog.highestIncarnation = max(catalog.highestIncarnation, prefix.incarnation)
        return follows(prefix) && isSound(prefix, reader, at: offset) ? prefix : nil
    }

    private mutating func skip(to prefix: FramePrefix, kind: FrameKind?, seen: Range<UInt64>?) {
        note(FrameGap(before: catalog.mark, through: prefix.sequence - 1, kind: kind, seen: seen))
        catalog.mark.sequence = prefix.sequence - 1
    }

    /// The end of the unreadable frame at `start`, from what is left of it. A block that is whole behind a rotten
    /// prefix is kept.
    private mutating func remains(_ reader: SegmentReader, at start: UInt64) -> UInt64? {
        let sequence = catalog.mark.sequence + 1
        // A whole frame here is an old one, or one that comes later.
        guard reader.frame(at: start) == nil else { return nil }
        if start == 0 { return UInt64(FramePrefix.byteCount + SegmentStart.byteCount) }
        let body = start + UInt64(FramePrefix.byteCount)
        if let block = reader.block(at: body, cluster: cluster, sequence: sequence) {
            catalog.salvaged = catalog.salvaged ?? block
            return body + UInt64(block.location.length)
        }
        guard let prefix = reader.prefix(at: start), prefix.sequence == sequence else { return nil }
        return start + prefix.byteCount
    }

    /// The kind of a frame that ends exactly where the next one begins.
    private static func kind(ofFrameBytes count: UInt64) -> FrameKind? {
        switch Int(count) - FramePrefix.byteCount {
        case HardState.encodedBytes: .hardState
        case EntrySummary.encodedBytes: .truncate
        case BlockHeader.byteCount...: .block
        default: nil
        }
    }
}
