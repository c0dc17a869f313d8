package import Consensus

/// Transfers as bytes: frames on the same streams as `PeerCodec`'s, told apart by their first byte.
package enum TransferCodec {
    private enum Tag: UInt8 {
        case askContents = 64
        case contents = 65
        case askChunk = 66
        case chunk = 67
        case noSnapshot = 68
        case askBlock = 69
        case block = 70
        case tookSnapshot = 71
        case noBlock = 72
        case askStanding = 73
        case standing = 74
        case askContentsAt = 75
        case askCorruptBlock = 76
        case corruptBlock = 77
    }

    /// Whether a frame's body is a transfer's.
    package static func isTransfer(_ body: UnsafeRawBufferPointer) -> Bool {
        body.first.map { $0 >= Tag.askContents.rawValue } ?? false
    }

    /// Appends the whole TCP frame.
    package static func append(_ transfer: Transfer, from node: NodeID, to output: inout [UInt8]) {
        var writer = ByteWriter(taking: &output)
        let place = writer.beginFrame()
        func head(_ tag: Tag) {
            writer.u8(tag.rawValue)
            writer.varint(node.rawValue)
        }
        switch transfer {
        case .askContents(let snapshot):
            head(.askContents)
            append(snapshot, to: &writer)
        case .askContentsAt(let index):
            head(.askContentsAt)
            writer.varint(index)
        case .contents(let snapshot, let table):
            head(.contents)
            append(snapshot, to: &writer)
            writer.longByteString(table)
        case .askChunk(let snapshot, let number):
            head(.askChunk)
            append(snapshot, to: &writer)
            writer.varint(UInt64(number))
        case .chunk(let snapshot, let number, let stored):
            head(.chunk)
            append(snapshot, to: &writer)
            writer.varint(UInt64(number))
            writer.longByteString(stored)
        case .noSnapshot(let snapshot):
            head(.noSnapshot)
            append(snapshot, to: &writer)
        case .askBlock(let index, let digest):
            head(.askBlock)
            append(index, digest, to: &writer)
        case .block(let index, let digest, let bytes):
            head(.block)
            append(index, digest, to: &writer)
            writer.longByteString(bytes)
        case .noBlock(let index, let digest, let neverHad):
            head(.noBlock)
            append(index, digest, to: &writer)
            writer.bool(neverHad)
        case .askCorruptBlock(let index, let digest):
            head(.askCorruptBlock)
            append(index, digest, to: &writer)
        case .corruptBlock(let index, let digest, let copy):
            head(.corruptBlock)
            append(index, digest, to: &writer)
            writer.bool(copy != nil)
            if let copy { append(copy, to: &writer) }
        case .tookSnapshot(let snapshot):
            head(.tookSnapshot)
            append(snapshot, to: &writer)
        case .askStanding(let life):
            head(.askStanding)
            writer.varint(UInt64(life))
        case .standing(let life, let term, let last):
            head(.standing)
            writer.varint(UInt64(life))
            writer.varint(term)
            writer.bool(last != nil)
            if let last { SnapshotReferenceCodec.append(last, to: &writer) }
        }
        writer.endFrame(place)
        writer.give(to: &output)
    }

    /// Reads a body. Total on garbage.
    package static func decode(_ body: UnsafeRawBufferPointer) throws(WireError) -> (from: NodeID, transfer: Transfer) {
        var reader = ByteReader(body)
        let tag: Tag = try reader.tag("transfer")
        let from = NodeID(try reader.varint())
        let transfer: Transfer
        switch tag {
        case .askContents: transfer = .askContents(try optionalSnapshot(&reader))
        case .askContentsAt: transfer = .askContentsAt(try reader.varint())
        case .contents: transfer = .contents(try snapshot(&reader), table: Array(try reader.longView()))
        case .askChunk: transfer = .askChunk(try snapshot(&reader), number: try reader.varint32())
        case .chunk:
            transfer = .chunk(try snapshot(&reader), number: try reader.varint32(), stored: Array(try reader.longView()))
        case .noSnapshot: transfer = .noSnapshot(try optionalSnapshot(&reader))
        case .askBlock: transfer = .askBlock(index: try reader.varint(), digest: try digest(&reader))
        case .block:
            transfer = .block(index: try reader.varint(), digest: try digest(&reader), bytes: Array(try reader.longView()))
        case .noBlock:
            transfer = .noBlock(index: try reader.varint(), digest: try digest(&reader), neverHad: try reader.bool())
        case .askCorruptBlock: transfer = .askCorruptBlock(index: try reader.varint(), digest: try digest(&reader))
        case .corruptBlock:
            let (index, name) = (try reader.varint(), try digest(&reader))
            transfer = .corruptBlock(index: index, digest: name, try reader.bool() ? try copy(&reader) : nil)
        case .tookSnapshot: transfer = .tookSnapshot(try snapshot(&reader))
        case .askStanding: transfer = .askStanding(life: try reader.varint32())
        case .standing:
            let (life, term) = (try reader.varint32(), try reader.varint())
            let last = try reader.bool() ? try SnapshotReferenceCodec.summary(&reader) : nil
            transfer = .standing(life: life, term: term, last: last)
        }
        try reader.finish()
        return (from, transfer)
    }

    private static func append(_ index: LogIndex, _ digest: Digest, to writer: inout ByteWriter) {
        writer.varint(index)
        writer.pair(high: digest.high, low: digest.low)
    }

    /// Unreadable parts as the distance from the end of the one before and the length, with a length of 0 behind the last.
    private static func append(_ copy: BlockCopy, to writer: inout ByteWriter) {
        writer.longByteString(copy.bytes)
        var end = 0
        for part in copy.unreadable {
            writer.varint(UInt64(part.count))
            writer.varint(UInt64(part.lowerBound - end))
            end = part.upperBound
        }
        writer.varint(0)
    }

    private static func copy(_ reader: inout ByteReader) throws(WireError) -> BlockCopy {
        var copy = BlockCopy(bytes: Array(try reader.longView()))
        var end = 0
        while true {
            let count = try reader.varint()
            guard count > 0 else { return copy }
            let distance = try reader.varint()
            let left = UInt64(copy.bytes.count - end)
            guard count <= left, distance <= left - count else { throw WireError("an unreadable part outside of the copy") }
            let start = end + Int(distance)
            end = start + Int(count)
            copy.unreadable.append(start..<end)
        }
    }

    private static func append(_ snapshot: SnapshotReference?, to writer: inout ByteWriter) {
        writer.bool(snapshot != nil)
        if let snapshot { append(snapshot, to: &writer) }
    }

    private static func append(_ snapshot: SnapshotReference, to writer: inout ByteWriter) {
        SnapshotReferenceCodec.append(snapshot, to: &writer)
    }

    private static func digest(_ reader: inout ByteReader) throws(WireError) -> Digest {
        let (high, low) = try reader.pair()
        return Digest(high: high, low: low)
    }

    private static func optionalSnapshot(_ reader: inout ByteReader) throws(WireError) -> SnapshotReference? {
        try reader.bool() ? try snapshot(&reader) : nil
    }

    private static func snapshot(_ reader: inout ByteReader) throws(WireError) -> SnapshotReference {
        try SnapshotReferenceCodec.decode(&reader)
    }
}

/// The name of a snapshot, and of an entry, inside of messages.
enum SnapshotReferenceCodec {
    static func append(_ snapshot: SnapshotReference, to writer: inout ByteWriter) {
        append(snapshot.last, to: &writer)
        writer.pair(high: snapshot.digest.high, low: snapshot.digest.low)
    }

    static func append(_ last: EntrySummary, to writer: inout ByteWriter) {
        writer.u8(last.kind.rawValue)
        writer.varint(last.term)
        writer.varint(last.index)
        writer.varint(last.time)
        writer.varint(last.nextCommand)
        writer.pair(high: last.digest.high, low: last.digest.low)
        writer.varint(UInt64(last.byteCount))
    }

    static func decode(_ reader: inout ByteReader) throws(WireError) -> SnapshotReference {
        let last = try summary(&reader)
        let own = try reader.pair()
        return SnapshotReference(last: last, digest: Digest(high: own.high, low: own.low))
    }

    static func summary(_ reader: inout ByteReader) throws(WireError) -> EntrySummary {
        let kind: EntryKind = try reader.tag("entry kind")
        let (term, index) = (try reader.varint(), try reader.varint())
        let (time, next) = (try reader.varint(), try reader.varint())
        let entry = try reader.pair()
        let bytes = try reader.varint32()
        return EntrySummary(
            kind: kind, term: term, index: index, time: time, nextCommand: next, digest: Digest(high: entry.high, low: entry.low),
            byteCount: bytes)
    }
}
