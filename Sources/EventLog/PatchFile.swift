import Consensus

/// A file of blocks that were fetched from peers because the log's own copies can't be read any more.
///
/// Its first page says whose it is; then come blocks, verbatim, each on a page of its own:
///
///     0  magic "ptch"   4  format, 1   8  cluster   16  node   24  digest of the 24 bytes before   4096  blocks
///
/// A block tells by its digests whether it is whole and which one it is, so nothing else needs to be right: recovery takes
/// each whole one for the entry that the chain asks for. A file is never written again by a later opening.
struct PatchFile {
    static let magic: UInt32 = 0x6863_7470
    static let format: UInt32 = 1
    private static let headerBytes: UInt64 = 40

    let number: UInt64
    let file: FileID
    /// Where the next block goes.
    var end: UInt64 = pageBytes
    /// The highest index of a block in it; 0 when there is none.
    var lastIndex: LogIndex = 0

    var name: String { FileNames.patch(number) }

    /// Opens all, and gives every whole block in them.
    static func open(_ numbers: [UInt64], on disk: any Disk, cluster: UInt64) throws(EventLogError) -> (
        [PatchFile], [ScannedBlock]
    ) {
        var patches: [PatchFile] = []
        var blocks: [ScannedBlock] = []
        for number in numbers {
            let (file, size) = try openFile(number, on: disk)
            var patch = PatchFile(number: number, file: file)
            let reader = SegmentReader(SegmentFile(number: number, file: file, size: size), on: disk)
            if let what = newer(in: reader) { throw .newer(what, in: patch.name) }
            while patch.end < size {
                guard let block = reader.block(at: patch.end, cluster: cluster, sequence: 0, isPatch: true), block.isWhole else {
                    let what = reader.bytes(at: patch.end, count: UInt64(BlockHeader.byteCount)) { NewerFormat.inBlockHeader($0) }
                    if let what = what ?? nil { throw .newer(what, in: patch.name) }
                    patch.end += pageBytes
                    continue
                }
                blocks.append(block)
                patch.lastIndex = max(patch.lastIndex, block.summary.index)
                patch.end = roundUp(patch.end + UInt64(block.location.length), to: pageBytes)
            }
            patches.append(patch)
        }
        return (patches, blocks)
    }

    private static func openFile(_ number: UInt64, on disk: any Disk) throws(EventLogError) -> (FileID, UInt64) {
        do {
            let file = try disk.open(FileNames.patch(number), create: false)
            return (file, try disk.size(file))
        } catch {
            throw EventLogError(error)
        }
    }

    /// What the first page says that this version does not know, when its digest is right.
    private static func newer(in reader: SegmentReader) -> String? {
        let found = reader.bytes(at: 0, count: headerBytes) { bytes -> UInt32? in
            guard bytes.integer(at: 0) == magic, Hashing.digest(bytes.part(0..<24)) == bytes.digest(at: 24) else { return nil }
            return bytes.integer(at: 4)
        }
        guard let number = found ?? nil, number != format else { return nil }
        return "blocks of format \(number)"
    }

    static func create(_ number: UInt64, on disk: any Disk, cluster: UInt64, node: UInt64) throws(DiskError) -> PatchFile {
        var header = [UInt8](repeating: 0, count: Int(pageBytes))
        header.withUnsafeMutableBytes { bytes in
            bytes.put(magic, at: 0)
            bytes.put(format, at: 4)
            bytes.put(cluster, at: 8)
            bytes.put(node, at: 16)
            bytes.put(Hashing.digest(bytes.part(0..<24)), at: 24)
        }
        let file = try disk.open(FileNames.patch(number), create: true)
        do {
            try disk.write(file, at: 0, header)
            try disk.sync(file)
            try disk.syncFolder()
        } catch {
            disk.close(file)
            throw error
        }
        return PatchFile(number: number, file: file)
    }

    /// Writes the blocks behind what is there and returns where they lie once they are durable.
    mutating func append(_ entries: [Entry], on disk: any Disk) throws(DiskError) -> [BlockLocation] {
        var locations: [BlockLocation] = []
        var next = end
        for entry in entries {
            try disk.write(file, at: next, entry.block)
            let length = UInt32(entry.block.count)
            locations.append(BlockLocation(segment: UInt32(number), offset: UInt32(next), length: length, isPatch: true))
            next = roundUp(next + UInt64(length), to: pageBytes)
        }
        try disk.sync(file)
        end = next
        for entry in entries { lastIndex = max(lastIndex, entry.index) }
        return locations
    }
}
