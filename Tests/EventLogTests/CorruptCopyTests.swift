import Consensus
import EventLog
import Testing

/// Three logs with the same entries, laid out differently, in which the same block is corrupt.
@Suite struct CorruptCopyTests {
    private static let count = 9
    private let disks = [SimulatedDisk(), SimulatedDisk(), SimulatedDisk()]
    private let entries: [Entry]

    init() throws {
        var luck = Luck(7)
        var last = EntrySummary.beforeFirst
        var entries: [Entry] = []
        for _ in 0..<Self.count {
            entries.append(entry(after: last, payload: luck.bytes(900)))
            last = entries.last!.summary
        }
        self.entries = entries
        for (place, disk) in disks.enumerated() {
            let log = try open(disk).0
            // So the block lies at another place of each file.
            for start in stride(from: 0, to: Self.count, by: place + 1) {
                let state = place == 2 ? HardState(term: UInt64(start + 1), vote: nil) : nil
                try log.append([write(Array(entries[start..<min(start + place + 1, Self.count)]), state: state)])
            }
            try log.markDurable()
            log.close()
        }
    }

    /// Turns bytes of the block's, counted from the start of its frame's prefix.
    private func turn(_ bytes: [Int], of index: LogIndex, on disk: SimulatedDisk) throws {
        let log = try open(disk).0
        let place = try #require(log.placeOfBlock(index))
        log.close()
        for byte in bytes { disk.rot(0x11, ofByte: UInt64(Int(place.start) - 56 + byte), in: place.file) }
    }

    private func block(_ index: LogIndex) -> MissingBlock {
        MissingBlock(index: index, digest: entries[Int(index) - 1].digest)
    }

    /// What the three logs' copies of the block make.
    private func combine(_ index: LogIndex, candidates: Int = 1 << 16) throws -> [UInt8]? {
        var copies: [BlockCopy] = []
        for disk in disks {
            let log = try open(disk).0
            #expect(log.missing?.indexes == [index])
            if let copy = log.corruptCopy(of: block(index), maxBytes: 1 << 20, searchBytes: 1 << 20) { copies.append(copy) }
            log.close()
        }
        #expect(copies.count == 3)
        return BlockCombination(block(index), cluster: tag, copies: copies, candidates: candidates).run()
    }

    @Test func `bodies that are corrupt in different bytes make the block`() throws {
        for (place, disk) in disks.enumerated() { try turn([300 + place, 700 - place], of: 4, on: disk) }
        #expect(try combine(4) == entries[3].block)
    }

    @Test func `headers that are corrupt make the block all the same`() throws {
        // The header begins at 56: a frame's prefix, the term, and the digest of the body.
        for (place, disk) in disks.enumerated() { try turn([[2, 58], [72], [140]][place] + [400 + place], of: 4, on: disk) }
        #expect(try combine(4) == entries[3].block)
    }

    @Test func `a block whose header is gone is found by the frame in front of it`() throws {
        try turn(Array(56..<300), of: 4, on: disks[0])
        try turn(Array(500..<510), of: 4, on: disks[1])
        let copies = try disks[..<2].map { disk in
            let log = try open(disk).0
            defer { log.close() }
            return try #require(log.corruptCopy(of: block(4), maxBytes: 1 << 20, searchBytes: 1 << 20))
        }
        #expect(BlockCombination(block(4), cluster: tag, copies: copies, candidates: 1 << 16).run() == entries[3].block)
    }

    @Test func `of two blocks in a row whose headers are gone each is found by its place`() throws {
        for index in [LogIndex(4), 5] { try turn(Array(56..<200), of: index, on: disks[0]) }
        let log = try open(disks[0]).0
        defer { log.close() }
        // Behind two corrupt frames reading goes on at the next page. Peers have what was missed for that.
        _ = try log.repair(with: Array(entries[5...]))
        // The lower one is known by name once the upper one is there.
        for index in [LogIndex(5), 4] {
            let copy = try #require(log.corruptCopy(of: block(index), maxBytes: 1 << 20, searchBytes: 1 << 20))
            #expect(copy.bytes[144...] == entries[Int(index) - 1].block[144...])
            _ = try log.repair(with: [entries[Int(index) - 1]])
        }
    }

    @Test func `the last block is named by the superblock`() throws {
        for (place, disk) in disks.enumerated() { try turn([80 + place, 500 + place], of: 9, on: disk) }
        #expect(try combine(9) == entries[8].block)
    }

    @Test func `the log takes the block that was made`() throws {
        for (place, disk) in disks.enumerated() { try turn([300 + place], of: 4, on: disk) }
        let bytes = try #require(try combine(4))
        let log = try open(disks[0]).0
        #expect(try log.repair(with: [try BlockCodec.parse(bytes, cluster: tag)]) == [4] && log.missing == nil)
        #expect(try log.read(from: 1, through: .max, maxBytes: .max) == entries)
        log.close()
    }

    @Test func `of a large block fewer candidates are tried`() throws {
        let whole = entries[3].block
        let copies = [[300, 400], [500, 600]].map { places in
            var bytes = whole
            for place in places { bytes[place] ^= 0x11 }
            return BlockCopy(bytes: bytes)
        }
        func combine(hashBytes: Int) -> [UInt8]? {
            BlockCombination(block(4), cluster: tag, copies: copies, candidates: 1 << 16, hashBytes: hashBytes).run()
        }
        // Four bytes in which two copies differ make 16 candidates.
        #expect(combine(hashBytes: 16 * whole.count) == whole)
        #expect(combine(hashBytes: 15 * (whole.count - 112)) == nil)
    }

    @Test func `copies that are wrong in the same byte make nothing`() throws {
        for disk in disks { try turn([300], of: 4, on: disk) }
        #expect(try combine(4) == nil)
    }

    @Test func `a whole block has no corrupt copy`() throws {
        let log = try open(disks[0]).0
        #expect(log.corruptCopy(of: block(4), maxBytes: 1 << 20, searchBytes: 1 << 20) == nil)
        log.close()
    }

    @Test func `two blocks in a row whose headers are corrupt are told apart`() throws {
        for (place, disk) in disks.enumerated() {
            try turn([58 + place], of: 4, on: disk)
            try turn([58 + place], of: 5, on: disk)
        }
        var copies: [BlockCopy] = []
        for disk in disks {
            let log = try open(disk).0
            // Behind two corrupt frames reading goes on at the next page, so one of the logs misses more. A peer has that.
            _ = try log.repair(with: [entries[5]])
            #expect(log.missing?.indexes == [4, 5])
            copies.append(try #require(log.corruptCopy(of: block(5), maxBytes: 1 << 20, searchBytes: 1 << 20)))
            log.close()
        }
        #expect(BlockCombination(block(5), cluster: tag, copies: copies, candidates: 16).run() == entries[4].block)
    }
}
