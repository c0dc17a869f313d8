import Consensus
import Testing

@testable import EventLog

/// A folder that a newer version wrote is refused in one line, and nothing in it is changed: an older version must never take
/// for damage, and repair, what it does not know.
@Suite struct NewerFormatTests {
    /// A folder with two entries in its first segment.
    private static func folder() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        try log.append([write(chain(2), state: HardState(term: 1, vote: NodeID(1)))])
        log.close()
        return disk
    }

    /// Opening and scanning say that it is newer, and where; the folder stays as it is.
    private static func expectNewer(
        _ disk: SimulatedDisk, naming words: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let names = try disk.list().sorted()
        let before = names.map { disk.contents($0) }
        let writes = disk.counters.writes
        for attempt in [{ _ = try open(disk) }, { _ = try EventLog.scan(disk) { _ in true } }] {
            do {
                try attempt()
                Issue.record("it was read", sourceLocation: sourceLocation)
            } catch let error as EventLogError {
                #expect(error.code == .newer, "\(error)", sourceLocation: sourceLocation)
                for word in words { #expect(error.description.contains(word), "\(error)", sourceLocation: sourceLocation) }
                #expect(!error.description.contains("\n"), sourceLocation: sourceLocation)
            }
        }
        #expect(disk.counters.writes == writes, sourceLocation: sourceLocation)
        #expect(try disk.list().sorted() == names, sourceLocation: sourceLocation)
        #expect(names.map { disk.contents($0) } == before, sourceLocation: sourceLocation)
    }

    /// Changes a copy of the superblock and makes its digest anew.
    private static func changeSuperblock(_ disk: SimulatedDisk, slot: Int, _ change: (UnsafeMutableRawBufferPointer) -> Void)
        throws
    {
        var copy = Array(try #require(disk.contents("superblock"))[slot * 4096..<(slot + 1) * 4096])
        copy.withUnsafeMutableBytes { bytes in
            change(bytes)
            bytes.put(Hashing.digest(bytes.part(0..<4080)), at: 4080)
        }
        try disk.overwrite("superblock", at: UInt64(slot * 4096), copy)
    }

    /// Where the first frame of this kind begins in the first segment.
    private static func offset(of kind: FrameKind, _ disk: SimulatedDisk) throws -> Int {
        let bytes = try #require(disk.contents("segment-00000001"))
        return try #require(
            bytes.indices.first { offset in
                offset % 4 == 0 && offset + 56 <= bytes.count
                    && bytes.withUnsafeBytes { FramePrefix($0.part(offset..<bytes.count))?.kind == kind }
            })
    }

    /// Changes the frame of a kind and makes its checksum anew.
    private static func changeFrame(
        _ kind: FrameKind, _ disk: SimulatedDisk, covered: Int, _ change: (UnsafeMutableRawBufferPointer) -> Void
    ) throws {
        let start = try offset(of: kind, disk)
        var frame = Array(try #require(disk.contents("segment-00000001"))[start..<start + covered])
        frame.withUnsafeMutableBytes { bytes in
            change(bytes)
            bytes.put(FramePrefix.checksum(of: UnsafeRawBufferPointer(bytes)), at: 40)
        }
        try disk.overwrite("segment-00000001", at: UInt64(start), frame)
    }

    @Test(arguments: [0, 1]) func `a copy of the superblock in a newer format`(slot: Int) throws {
        let disk = try Self.folder()
        try Self.changeSuperblock(disk, slot: slot) { $0.put(UInt32(3), at: 4) }
        try Self.expectNewer(disk, naming: "superblock", "format 3")
    }

    @Test(arguments: [60, 480, 2600, 4070]) func `a superblock with something in a reserved byte`(offset: Int) throws {
        let disk = try Self.folder()
        try Self.changeSuperblock(disk, slot: 0) { $0[offset] = offset == 480 ? 128 : 1 }
        try Self.expectNewer(disk, naming: "superblock", "unknown fields")
    }

    @Test func `a segment of a newer format, with and without a superblock`() throws {
        for hasSuperblock in [true, false] {
            let disk = try Self.folder()
            try Self.changeFrame(.segmentStart, disk, covered: 56 + SegmentStart.byteCount) { $0.put(UInt32(2), at: 56) }
            if !hasSuperblock { try disk.wipe("superblock") }
            try Self.expectNewer(disk, naming: "segment-00000001", "segment of format 2")
        }
    }

    @Test func `a frame of an unknown kind`() throws {
        let disk = try Self.folder()
        try Self.changeFrame(.hardState, disk, covered: 56 + 24) { $0[4] = 6 }
        try Self.expectNewer(disk, naming: "segment-00000001", "kind 6")
    }

    @Test func `a frame with something in a reserved byte`() throws {
        let disk = try Self.folder()
        try Self.changeFrame(.hardState, disk, covered: 56 + 24) { $0[6] = 1 }
        try Self.expectNewer(disk, naming: "reserved bytes")
    }

    @Test func `a hard state with an unknown mark`() throws {
        let disk = try Self.folder()
        try Self.changeFrame(.hardState, disk, covered: 56 + 24) { $0.put(UInt64(2), at: 56 + 8) }
        try Self.expectNewer(disk, naming: "hard state")
    }

    @Test(arguments: [(4, "format 2"), (6, "codec"), (7, "kind"), (60, "reserved field")])
    func `a block with something that this version does not know`(offset: Int, word: String) throws {
        let disk = try Self.folder()
        try Self.changeFrame(.block, disk, covered: 56 + 112) { bytes in
            bytes[56 + offset] = offset == 4 ? 2 : 9
            bytes.put(Hashing.digest(UnsafeRawBufferPointer(bytes).part(56..<56 + 96)), at: 56 + 96)
        }
        try Self.expectNewer(disk, naming: "segment-00000001", word)
    }

    @Test func `a file of fetched blocks in a newer format`() throws {
        let disk = try Self.folder()
        _ = try PatchFile.create(1, on: disk, cluster: tag, node: 1)
        var header = Array(try #require(disk.contents("patch-00000001"))[..<40])
        header.withUnsafeMutableBytes { bytes in
            bytes.put(UInt32(2), at: 4)
            bytes.put(Hashing.digest(bytes.part(0..<24)), at: 24)
        }
        try disk.overwrite("patch-00000001", at: 0, header)
        try Self.expectNewer(disk, naming: "patch-00000001", "format 2")
    }

    @Test func `a snapshot in a newer format`() throws {
        let disk = try Self.folder()
        let store = SnapshotStore(on: disk, cluster: tag, chunkBytes: 256)
        let writer = try store.write(upTo: chain(2)[1].summary)
        try writer.add([1, 2, 3])
        let snapshot = try writer.finish()
        let name = "snapshot-00000002"
        var bytes = try #require(disk.contents(name))
        let table = try #require(bytes.indices.last { $0 + 8 <= bytes.count && Array(bytes[$0..<$0 + 4]) == Array("snap".utf8) })
        bytes.withUnsafeMutableBytes { all in
            all.put(UInt32(2), at: table + 4)
            let end = all.count - SnapshotWriter.tailBytes
            all.put(Hashing.digest(UnsafeRawBufferPointer(all).part(table..<end)), at: end + 8)
        }
        try disk.overwrite(name, at: 0, bytes)
        #expect(code { _ = try store.open(snapshot.index) } == .newer)
    }

    /// The same bytes with a digest that does not fit are damage like any other.
    @Test func `a changed format number without a digest that fits is damage`() throws {
        let disk = try Self.folder()
        for slot: UInt64 in [0, 4096] { try disk.overwrite("superblock", at: slot + 4, [3]) }
        let start = try Self.offset(of: .segmentStart, disk)
        try disk.overwrite("segment-00000001", at: UInt64(start + 56), [2])
        #expect(code { _ = try open(disk) } == .damaged)
    }
}
