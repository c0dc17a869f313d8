import Consensus

extension HardState {
    static let encodedBytes = 24

    func write(to bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
        bytes.put(term, at: offset)
        bytes.put(UInt64(vote == nil ? 0 : 1), at: offset + 8)
        bytes.put(vote?.rawValue ?? 0, at: offset + 16)
    }

    /// Nil for anything but what `write` writes.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        let (voted, vote): (UInt64, UInt64) = (bytes.integer(at: offset + 8), bytes.integer(at: offset + 16))
        guard voted <= 1, voted == 1 || vote == 0 else { return nil }
        self.init(term: bytes.integer(at: offset), vote: voted == 1 ? NodeID(vote) : nil)
    }
}

extension EntrySummary {
    static let encodedBytes = 56

    func write(to bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
        bytes.put(index, at: offset)
        bytes.put(term, at: offset + 8)
        bytes.put(time, at: offset + 16)
        bytes.put(nextCommand, at: offset + 24)
        bytes.put(digest, at: offset + 32)
        bytes.put(byteCount, at: offset + 48)
        bytes.put(UInt32(kind.rawValue), at: offset + 52)
    }

    /// Nil for what no block's header gives, so that counting on from it never overflows.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard let kind = EntryKind(exactly: bytes.integer(at: offset + 52)) else { return nil }
        let numbers = stride(from: 0, to: 32, by: 8).map { bytes.integer(at: offset + $0, as: UInt64.self) }
        guard numbers[..<3].allSatisfy({ $0 <= BlockHeader.largestNumber }),
            numbers[3] <= BlockHeader.largestNumber + UInt64(UInt32.max)
        else { return nil }
        self.init(
            kind: kind, term: numbers[1], index: numbers[0], time: numbers[2], nextCommand: numbers[3],
            digest: bytes.digest(at: offset + 32), byteCount: bytes.integer(at: offset + 48))
    }
}

/// The first frame of a segment: all that the segments before it still mean once they are released.
///
///     0  format, zero    8  segment    16  cluster    24  node    32  hard state    56  last entry before
struct SegmentStart: Equatable {
    static let byteCount = 56 + EntrySummary.encodedBytes
    static let format: UInt32 = 1

    var segment: UInt64
    var cluster: UInt64
    var node: UInt64
    var hardState: HardState
    var last: EntrySummary

    func write(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.put(UInt64(Self.format), at: 0)
        bytes.put(segment, at: 8)
        bytes.put(cluster, at: 16)
        bytes.put(node, at: 24)
        hardState.write(to: bytes, at: 32)
        last.write(to: bytes, at: 56)
    }

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.integer(at: 0, as: UInt64.self) == UInt64(Self.format), let last = EntrySummary(bytes, at: 56),
            let hardState = HardState(bytes, at: 32)
        else { return nil }
        self.init(
            segment: bytes.integer(at: 8), cluster: bytes.integer(at: 16), node: bytes.integer(at: 24),
            hardState: hardState, last: last)
    }

    init(segment: UInt64, cluster: UInt64, node: UInt64, hardState: HardState, last: EntrySummary) {
        self.segment = segment
        self.cluster = cluster
        self.node = node
        self.hardState = hardState
        self.last = last
    }
}
