/// Reads a segment from front to back through a window of a few MiB.
final class SegmentReader {
    private static let windowBytes: UInt64 = 2 << 20

    let segment: SegmentFile
    private let disk: any Disk
    private(set) var window: [UInt8] = []
    private var windowStart: UInt64 = 0

    init(_ segment: SegmentFile, on disk: any Disk) {
        self.segment = segment
        self.disk = disk
    }

    /// Where in `window` the bytes now are; nil when the file does not have them. Good until the next call.
    func load(at offset: UInt64, count: UInt64) throws(DiskError) -> Range<Int>? {
        guard offset <= segment.size, count <= segment.size - offset else { return nil }
        if offset < windowStart || offset + count > windowStart + UInt64(window.count) {
            let wanted = min(max(count, Self.windowBytes), segment.size - offset)
            window = try disk.read(segment.file, at: offset, count: Int(wanted))
            windowStart = offset
            guard UInt64(window.count) >= count else { return nil }
        }
        let start = Int(offset - windowStart)
        return start..<start + Int(count)
    }

    /// What the bytes at `offset` claim to be; nothing is verified.
    func prefix(at offset: UInt64) throws(DiskError) -> FramePrefix? {
        guard let range = try load(at: offset, count: UInt64(FramePrefix.byteCount)) else { return nil }
        return window.withUnsafeBytes { FramePrefix($0.part(range)) }
    }

    /// The frame at `offset` when its checksum holds and it lies in the file. A block's body is not verified.
    func frame(at offset: UInt64) throws(DiskError) -> FramePrefix? {
        guard let prefix = try prefix(at: offset), prefix.byteCount <= segment.size - offset else { return nil }
        guard let range = try load(at: offset, count: UInt64(prefix.coveredBytes)) else { return nil }
        return window.withUnsafeBytes { prefix.matches($0.part(range)) } ? prefix : nil
    }

    /// Where in `window` the payload of the frame at `offset` now is.
    func payload(of prefix: FramePrefix, at offset: UInt64) throws(DiskError) -> Range<Int>? {
        try load(at: offset + UInt64(FramePrefix.byteCount), count: UInt64(prefix.payloadLength))
    }
}
