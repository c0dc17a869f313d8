import Consensus

/// What a frame holds.
enum FrameKind: UInt8 {
    /// The first frame of a segment: `SegmentStart`.
    case segmentStart = 1
    /// A `HardState`.
    case hardState = 2
    /// The summary of the entry that is now the last; all after it are gone.
    case truncate = 3
    /// A block, header and stored body.
    case block = 4
    /// The summary of an entry that a snapshot reaches to; the log begins anew behind it.
    case reset = 5

    /// The exact length of the payload, or nil where it varies.
    var payloadBytes: Int? {
        switch self {
        case .segmentStart: SegmentStart.byteCount
        case .hardState: HardState.encodedBytes
        case .truncate, .reset: EntrySummary.encodedBytes
        case .block: nil
        }
    }
}

/// The local prefix of everything in a segment; not replicated. 56 bytes, little-endian:
///
///     0  magic "frme"  8  payload length  16  sequence  32  commit
///     4  kind         12  incarnation     24  durable   40  checksum
///     5  zero (3)
///
/// The checksum covers the 40 bytes before it and the payload; of a block only its header, since that covers the
/// body by digest.
struct FramePrefix: Equatable {
    static let byteCount = 56
    static let magic: UInt32 = 0x656d_7266
    private static let checksumOffset = 40

    var kind: FrameKind
    var payloadLength: UInt32
    /// Which opening of the folder wrote it; grows.
    var incarnation: UInt32
    /// Its number in the log, counted from 1 without a gap.
    var sequence: UInt64
    /// The last frame that was known to be durable when this one was written: the witness that an invalid frame up
    /// to there is rot and not a torn tail.
    var durable: UInt64
    /// The last entry known to be committed once this frame is applied.
    var commit: LogIndex

    var byteCount: UInt64 { UInt64(Self.byteCount) + UInt64(payloadLength) }

    /// Writes it in front of its payload; `frame` holds both, and the payload is there already.
    func write(to frame: UnsafeMutableRawBufferPointer) {
        frame.put(Self.magic, at: 0)
        frame.put(UInt32(kind.rawValue), at: 4)
        frame.put(payloadLength, at: 8)
        frame.put(incarnation, at: 12)
        frame.put(sequence, at: 16)
        frame.put(durable, at: 24)
        frame.put(commit, at: 32)
        frame.put(checksum(UnsafeRawBufferPointer(frame)), at: Self.checksumOffset)
    }

    /// What the bytes say, unverified; nil when no frame can start so. `bytes` holds at least the prefix.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.integer(at: 0) == Self.magic, bytes.integer(at: 5, as: UInt16.self) == 0, bytes[7] == 0 else { return nil }
        guard let kind = FrameKind(rawValue: bytes[4]) else { return nil }
        self.init(
            kind: kind, payloadLength: bytes.integer(at: 8), incarnation: bytes.integer(at: 12), sequence: bytes.integer(at: 16),
            durable: bytes.integer(at: 24), commit: bytes.integer(at: 32))
        guard durable < sequence, sequence <= UInt64(Int64.max), incarnation <= Superblock.lastIncarnation else { return nil }
        if let exact = kind.payloadBytes {
            guard payloadLength == UInt32(exact) else { return nil }
        } else {
            guard payloadLength >= UInt32(BlockHeader.byteCount) else { return nil }
        }
    }

    init(kind: FrameKind, payloadLength: UInt32, incarnation: UInt32, sequence: UInt64, durable: UInt64, commit: LogIndex) {
        self.kind = kind
        self.payloadLength = payloadLength
        self.incarnation = incarnation
        self.sequence = sequence
        self.durable = durable
        self.commit = commit
    }

    /// How many bytes from its start the checksum needs.
    var coveredBytes: Int {
        Self.byteCount + (kind == .block ? BlockHeader.byteCount : Int(payloadLength))
    }

    func matches(_ frame: UnsafeRawBufferPointer) -> Bool {
        checksum(frame) == frame.digest(at: Self.checksumOffset)
    }

    private func checksum(_ frame: UnsafeRawBufferPointer) -> Digest {
        Self.checksum(of: frame.part(0..<coveredBytes))
    }

    /// Of a frame, or of as much of it as its checksum covers.
    static func checksum(of covered: UnsafeRawBufferPointer) -> Digest {
        Hashing.digest(covered.part(0..<checksumOffset), covered.part(byteCount..<covered.count))
    }

    static func storedChecksum(of frame: UnsafeRawBufferPointer) -> Digest { frame.digest(at: checksumOffset) }
}
