import EventLog

/// Makes the checksums of all frames right, and the digests of their blocks. Where one is changed, those who named it
/// (the next block's parent, a truncation, the next segment's start) get the new one.
struct SegmentSealer {
    private static let prefixBytes = 56
    private static let pageBytes = 4096

    private var bytes: [UInt8]
    private let segmentBytes: Int
    /// New digests of blocks by the old ones.
    private var renamed: [[UInt8]: [UInt8]] = [:]

    init(_ bytes: [UInt8], segmentBytes: Int) {
        self.bytes = bytes
        self.segmentBytes = segmentBytes
    }

    mutating func sealed() -> [UInt8] {
        for start in stride(from: 0, to: bytes.count, by: segmentBytes) {
            sealSegment(start..<min(start + segmentBytes, bytes.count))
        }
        return bytes
    }

    /// A superblock whose notes name the blocks by their new digests.
    func sealed(superblock: [UInt8]) -> [UInt8] {
        var slots = superblock
        for start in stride(from: 0, to: slots.count, by: Self.pageBytes) {
            for offset in [328, 384].map({ start + $0 + 32 }) {
                if let new = renamed[Array(slots[offset..<offset + Digests.bytes])] { slots.put(new, at: offset) }
            }
            let digest = start + Self.pageBytes - Digests.bytes
            slots.put(Digests.of(slots[start..<digest]), at: digest)
        }
        return slots
    }

    private mutating func sealSegment(_ segment: Range<Int>) {
        var offset = segment.lowerBound
        while offset + Self.prefixBytes <= segment.upperBound {
            let length = Int(bytes.number32(at: offset + 8))
            let end = offset + Self.prefixBytes + length
            if bytes[offset..<offset + 4].elementsEqual("frme".utf8), end <= segment.upperBound {
                sealFrame(offset..<end)
                offset = end
            } else {
                offset = (offset / Self.pageBytes + 1) * Self.pageBytes
            }
        }
    }

    private mutating func sealFrame(_ frame: Range<Int>) {
        let start = frame.lowerBound
        let payload = start + Self.prefixBytes
        var covered = frame.upperBound
        switch bytes[start + 4] {
        case 1 where frame.upperBound - payload >= 112: rename(at: payload + 56 + 32)
        case 3 where frame.upperBound - payload >= 56: rename(at: payload + 32)
        case 4 where frame.upperBound - payload >= BlockCodec.headerBytes:
            covered = payload + BlockCodec.headerBytes
            rename(at: payload + 64)
            let old = digest(at: payload + 96)
            FuzzTarget.sealBlock(&bytes, in: payload..<frame.upperBound)
            renamed[old] = digest(at: payload + 96)
        default: break
        }
        bytes.put(Digests.of(bytes[start..<start + 40] + bytes[payload..<covered]), at: start + 40)
    }

    private func digest(at offset: Int) -> [UInt8] {
        Array(bytes[offset..<offset + Digests.bytes])
    }

    private mutating func rename(at offset: Int) {
        if let new = renamed[digest(at: offset)] { bytes.put(new, at: offset) }
    }
}
