import Consensus

/// Tells bytes that a newer version wrote from bytes that were damaged: their digest is right, and what they say is unknown to
/// this version.
///
/// The difference matters since damage is repaired, by cutting off or fetching anew what looks torn or rotten. A folder that
/// holds anything newer is refused as a whole, and nothing in it is changed. Whatever raises a format in a folder raises the
/// superblock's first, durably and in both copies, so that one look is enough; the marks below are second witnesses.
///
/// Reserved bytes have one legal value now. Where they hold another one under a right digest, a newer version gave them a
/// meaning.
enum NewerFormat {
    /// What is newer about the frame at the start of `bytes`, which reach to the end of the segment or further than it; nil
    /// when nothing is, or when its checksum is wrong.
    static func inFrame(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count >= FramePrefix.byteCount, bytes.integer(at: 0) == FramePrefix.magic else { return nil }
        let number = bytes[4]
        let length = Int(bytes.integer(at: 8, as: UInt32.self))
        let kind = FrameKind(rawValue: number)
        let covered = FramePrefix.byteCount + (kind == .block ? BlockHeader.byteCount : length)
        guard covered <= bytes.count, FramePrefix.checksum(of: bytes.part(0..<covered)) == FramePrefix.storedChecksum(of: bytes)
        else { return nil }
        guard let kind else { return "a frame of kind \(number)" }
        guard bytes.integer(at: 5, as: UInt16.self) == 0, bytes[7] == 0 else { return "a frame with a field in reserved bytes" }
        if let exact = kind.payloadBytes, exact != length { return "a frame of kind \(number) with \(length) bytes" }
        let payload = bytes.part(FramePrefix.byteCount..<covered)
        return switch kind {
        case .segmentStart: inSegmentStart(payload)
        case .hardState: HardState(payload, at: 0) == nil ? "a hard state with unknown fields" : nil
        case .truncate, .reset: inSummary(payload, at: 0)
        case .block: inBlockHeader(payload)
        }
    }

    /// `bytes` begin with a block's header.
    static func inBlockHeader(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count >= BlockHeader.byteCount else { return nil }
        // The cluster is judged last, so any will do.
        switch BlockHeader.parse(bytes, cluster: bytes.integer(at: 8)) {
        case .failure(.format(let format)): return "a block of format \(format)"
        case .failure(.unknown(let field)): return "a block with an unknown \(field)"
        default: return nil
        }
    }

    private static func inSegmentStart(_ payload: UnsafeRawBufferPointer) -> String? {
        let format: UInt32 = payload.integer(at: 0)
        if format != SegmentStart.format { return "a segment of format \(format)" }
        if payload.integer(at: 4, as: UInt32.self) != 0 { return "a segment with a field in reserved bytes" }
        return HardState(payload, at: 32) == nil ? "a hard state with unknown fields" : inSummary(payload, at: 56)
    }

    private static func inSummary(_ payload: UnsafeRawBufferPointer, at offset: Int) -> String? {
        let kind: UInt32 = payload.integer(at: offset + 52)
        return EntryKind(exactly: kind) == nil ? "an entry of kind \(kind)" : nil
    }
}

extension EntryKind {
    init?(exactly number: UInt32) {
        guard let byte = UInt8(exactly: number), let kind = EntryKind(rawValue: byte) else { return nil }
        self = kind
    }
}
