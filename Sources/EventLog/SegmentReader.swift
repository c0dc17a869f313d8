import Consensus

/// Reads a segment from front to back through a window of a few MiB.
///
/// A page that the disk can't read counts as zeros: what was there is lost like any other bytes that rotted.
final class SegmentReader {
    private static let windowBytes: UInt64 = 2 << 20

    let segment: SegmentFile
    private let disk: any Disk
    private(set) var window: [UInt8] = []
    private var windowStart: UInt64 = 0
    /// What the disk said of the first page that it could not read.
    private(set) var failure: DiskError?

    init(_ segment: SegmentFile, on disk: any Disk) {
        self.segment = segment
        self.disk = disk
    }

    /// Where in `window` the bytes now are; nil when the file does not have them. Good until the next call.
    func load(at offset: UInt64, count: UInt64) -> Range<Int>? {
        guard offset <= segment.size, count <= segment.size - offset else { return nil }
        if offset < windowStart || offset + count > windowStart + UInt64(window.count) {
            let wanted = min(max(count, Self.windowBytes), segment.size - offset)
            window = read(at: offset, count: Int(wanted))
            windowStart = offset
            guard UInt64(window.count) >= count else { return nil }
        }
        let start = Int(offset - windowStart)
        return start..<start + Int(count)
    }

    private func read(at offset: UInt64, count: Int) -> [UInt8] {
        if let bytes = try? disk.read(segment.file, at: offset, count: count) { return bytes }
        var bytes: [UInt8] = []
        while bytes.count < count {
            let place = offset + UInt64(bytes.count)
            let piece = min(count - bytes.count, Int(pageBytes - place % pageBytes))
            do throws(DiskError) {
                let page = try disk.read(segment.file, at: place, count: piece)
                bytes += page
                if page.count < piece { return bytes }
            } catch {
                failure = failure ?? error
                bytes += [UInt8](repeating: 0, count: piece)
            }
        }
        return bytes
    }

    /// What the bytes at `offset` claim to be; nothing is verified.
    func prefix(at offset: UInt64) -> FramePrefix? {
        guard let range = load(at: offset, count: UInt64(FramePrefix.byteCount)) else { return nil }
        return window.withUnsafeBytes { FramePrefix($0.part(range)) }
    }

    /// The frame at `offset` when its checksum holds and it lies in the file. A block's body is not verified.
    func frame(at offset: UInt64) -> FramePrefix? {
        guard let prefix = prefix(at: offset), prefix.byteCount <= segment.size - offset else { return nil }
        guard let range = load(at: offset, count: UInt64(prefix.coveredBytes)) else { return nil }
        return window.withUnsafeBytes { prefix.matches($0.part(range)) } ? prefix : nil
    }

    /// The payload of the frame at `offset`.
    func payload<Value>(
        of prefix: FramePrefix, at offset: UInt64, _ body: (UnsafeRawBufferPointer) -> Value
    ) -> Value? {
        bytes(at: offset + UInt64(FramePrefix.byteCount), count: UInt64(prefix.payloadLength), body)
    }

    /// What a newer version wrote at `offset`, in words, when that is so.
    func newerFrame(at offset: UInt64) -> String? {
        guard let range = load(at: offset, count: UInt64(FramePrefix.byteCount)) else { return nil }
        let length: UInt32? = window.withUnsafeBytes {
            let prefix = $0.part(range)
            return prefix.integer(at: 0) == FramePrefix.magic ? prefix.integer(at: 8) : nil
        }
        guard let length else { return nil }
        let count = min(UInt64(FramePrefix.byteCount) + UInt64(length), segment.size - offset)
        return bytes(at: offset, count: count) { NewerFormat.inFrame($0) } ?? nil
    }

    func bytes<Value>(at offset: UInt64, count: UInt64, _ body: (UnsafeRawBufferPointer) -> Value) -> Value? {
        guard let range = load(at: offset, count: count) else { return nil }
        return window.withUnsafeBytes { body($0.part(range)) }
    }
}

extension SegmentReader {
    /// The block at `offset`, when its header is whole and it would lie in the file. `sequence`: of its frame.
    func block(at offset: UInt64, cluster: UInt64, sequence: UInt64, isPatch: Bool = false) -> ScannedBlock? {
        guard offset <= LogBounds.segmentBytes else { return nil }
        let parsed = bytes(at: offset, count: UInt64(BlockHeader.byteCount)) {
            try? BlockHeader.parse($0, cluster: cluster).get()
        }
        guard let (header, digest) = parsed ?? nil else { return nil }
        let length = UInt64(BlockHeader.byteCount) + UInt64(header.storedLength)
        let whole = bytes(at: offset, count: length) {
            Hashing.digest($0.part(BlockHeader.byteCount..<$0.count)) == header.bodyDigest
        }
        guard let whole else { return nil }
        let location = BlockLocation(
            segment: UInt32(segment.number), offset: UInt32(offset), length: UInt32(length), isPatch: isPatch)
        return ScannedBlock(
            sequence: sequence, summary: header.summary(digest: digest), parent: header.parent, location: location,
            rawLength: header.rawLength, isWhole: whole)
    }
}
