import Consensus

/// The first 112 bytes of a block, little-endian, written once by the leader and never again by anyone.
///
///     0  magic "jblk"     24  index            52  raw length       80  digest of the stored body
///     4  format (2)       32  time             56  stored length    96  digest of the 96 bytes before: the entry's name
///     6  codec  7  kind   40  first command    60  zero
///     8  cluster          48  command count    64  parent's digest
///    16  term
struct BlockHeader {
    static let byteCount = 112
    static let magic: UInt32 = 0x6b6c_626a
    static let format: UInt16 = 1
    /// The largest payload: what a reader is ready to decompress.
    static let maxRawLength: UInt32 = 64 << 20
    private static let digestOffset = 96
    /// LZ4 can't do better than this (its block format gives at most 255 bytes a byte).
    private static let bestRatio: UInt64 = 255
    /// Room above every number, so that adding to one from a stranger never overflows.
    static let largestNumber = UInt64(Int64.max)

    enum Codec: UInt8 {
        case raw = 0
        case lz4 = 1
    }

    var kind: EntryKind
    var codec: Codec
    var cluster: UInt64
    var term: Term
    var index: LogIndex
    var time: UInt64
    var firstCommand: UInt64
    var commandCount: UInt32
    var rawLength: UInt32
    var storedLength: UInt32
    var parent: Digest
    var bodyDigest: Digest

    /// Writes it and gives its digest.
    func write(to bytes: UnsafeMutableRawBufferPointer) -> Digest {
        bytes.put(Self.magic, at: 0)
        bytes.put(Self.format, at: 4)
        bytes.put(codec.rawValue, at: 6)
        bytes.put(kind.rawValue, at: 7)
        bytes.put(cluster, at: 8)
        bytes.put(term, at: 16)
        bytes.put(index, at: 24)
        bytes.put(time, at: 32)
        bytes.put(firstCommand, at: 40)
        bytes.put(commandCount, at: 48)
        bytes.put(rawLength, at: 52)
        bytes.put(storedLength, at: 56)
        bytes.put(UInt32(0), at: 60)
        bytes.put(parent, at: 64)
        bytes.put(bodyDigest, at: 80)
        let digest = Hashing.digest(bytes.part(0..<Self.digestOffset))
        bytes.put(digest, at: Self.digestOffset)
        return digest
    }

    /// Reads and verifies the header at the start of `bytes`; the body is the caller's to verify.
    static func parse(_ bytes: UnsafeRawBufferPointer, cluster: UInt64) -> Result<(BlockHeader, Digest), BlockError> {
        guard bytes.count >= byteCount else { return .failure(.length) }
        guard bytes.integer(at: 0) == magic else { return .failure(.notABlock) }
        let digest = bytes.digest(at: digestOffset)
        guard Hashing.digest(bytes.part(0..<digestOffset)) == digest else { return .failure(.headerDigest) }
        let format: UInt16 = bytes.integer(at: 4)
        guard format == Self.format else { return .failure(.format(format)) }
        guard let codec = Codec(rawValue: bytes[6]) else { return .failure(.unknown("codec")) }
        guard let kind = EntryKind(rawValue: bytes[7]) else { return .failure(.unknown("kind")) }
        let header = BlockHeader(
            kind: kind, codec: codec, cluster: bytes.integer(at: 8), term: bytes.integer(at: 16), index: bytes.integer(at: 24),
            time: bytes.integer(at: 32), firstCommand: bytes.integer(at: 40), commandCount: bytes.integer(at: 48),
            rawLength: bytes.integer(at: 52), storedLength: bytes.integer(at: 56), parent: bytes.digest(at: 64),
            bodyDigest: bytes.digest(at: 80))
        guard header.cluster == cluster else { return .failure(.otherCluster) }
        guard bytes.integer(at: 60, as: UInt32.self) == 0 else { return .failure(.unknown("reserved field")) }
        if let field = header.impossibleField { return .failure(.field(field)) }
        return .success((header, digest))
    }

    /// The field that no leader would write, if any.
    var impossibleField: String? {
        if index == 0 || index > Self.largestNumber { return "index" }
        if term > Self.largestNumber { return "term" }
        if time > Self.largestNumber { return "time" }
        if firstCommand > Self.largestNumber { return "first command" }
        if rawLength > Self.maxRawLength { return "raw length" }
        switch codec {
        case .raw:
            return storedLength == rawLength ? nil : "stored length"
        case .lz4:
            return storedLength < rawLength && UInt64(rawLength) <= UInt64(storedLength) * Self.bestRatio ? nil : "stored length"
        }
    }

    func summary(digest: Digest) -> EntrySummary {
        EntrySummary(
            kind: kind, term: term, index: index, time: time, nextCommand: firstCommand + UInt64(commandCount), digest: digest,
            byteCount: UInt32(Self.byteCount) + storedLength)
    }
}
