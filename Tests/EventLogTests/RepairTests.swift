import Consensus
import EventLog
import Testing

@Suite struct RepairTests {
    /// Nine entries in two segments, entry 3 rotten.
    private static func holed() throws -> (SimulatedDisk, [Entry]) {
        let disk = SimulatedDisk()
        let log = try open(disk).0
        let entries = chain(9, bytes: 300)
        for start in stride(from: 0, to: 9, by: 3) { try log.append([write(Array(entries[start..<start + 3]))]) }
        for entry in chain(after: entries[8].summary, 3) { try log.append([write([entry])]) }
        disk.flipBit(
            0, ofByte: 4096 + UInt64(56 * 3 + entries[0].block.count + entries[1].block.count + 30), in: "segment-00000001")
        return (disk, entries)
    }

    @Test func aFetchedBlockIsKeptInAFileWithTheseBytes() throws {
        let (disk, entries) = try Self.holed()
        let (log, recovery) = try open(disk)
        #expect(recovery.missing?.wanted == [MissingBlock(index: 3, digest: entries[2].digest)])
        #expect(try log.repair(with: [entries[0], entries[5]]).isEmpty)
        #expect(try log.repair(with: [entries[2]]) == [3] && log.missing == nil)
        let patch = try #require(disk.contents("patch-00000001"))
        #expect(hex(patch[..<40]) == Golden.patchHeader && patch[40..<4096].allSatisfy { $0 == 0 })
        #expect(Array(patch[4096...]) == entries[2].block)
        #expect(try log.read(from: 1, through: 9, maxBytes: .max) == entries)
        let (again, second) = try open(disk)
        #expect(second.damage == nil && second.entries.prefix(9) == entries.map(\.summary)[...])
        #expect(try again.read(from: 2, through: 4, maxBytes: .max) == Array(entries[1...3]))
    }

    @Test func forgedAndForeignBlocksAreRefused() throws {
        let (disk, entries) = try Self.holed()
        let log = try open(disk).0
        let other = entry(after: entries[1].summary, payload: [1, 2, 3])
        #expect(try log.repair(with: [other]).isEmpty)
        var bytes = entries[2].block
        bytes[bytes.count - 1] ^= 1
        let real = entries[2]
        let forged = Entry(
            kind: real.kind, term: real.term, index: real.index, time: real.time, firstCommand: real.firstCommand,
            commandCount: real.commandCount, parent: real.parent, digest: real.digest, block: bytes)
        #expect(try log.repair(with: [forged]).isEmpty && log.missing?.indexes == [3])
        #expect(try !disk.list().contains("patch-00000001"))
    }

    @Test func aRottenPatchIsAHoleAgain() throws {
        let (disk, entries) = try Self.holed()
        try heal(try open(disk).0, from: entries)
        for byte: UInt64 in [4096 + 30, 4096 + 120] {
            disk.flipBit(0, ofByte: byte, in: "patch-00000001")
            let (log, recovery) = try open(disk)
            #expect(recovery.missing?.indexes == [3])
            disk.flipBit(0, ofByte: byte, in: "patch-00000001")
            if byte == 4096 + 120 { try heal(log, from: entries) }
        }
        disk.flipBit(0, ofByte: 4096 + 30, in: "patch-00000001")
        #expect(try open(disk).1.missing == nil, "a second patch has it too")
        #expect(try disk.list().contains("patch-00000002"))
    }

    @Test func powerLossAtEveryCallOfARepairLeavesTheHoleOrClosesIt() throws {
        var (call, closed, open) = (1, 0, 0)
        var luck = Luck(11)
        while true {
            let (disk, entries) = try Self.holed()
            let log = try EventLogTests.open(disk).0
            disk.callsUntilPowerLoss = call
            let answer = code { try heal(log, from: entries) }
            let isLost = disk.callsUntilPowerLoss == 0
            disk.crash(using: &luck)
            let (again, recovery) = try EventLogTests.open(disk)
            if answer == nil { #expect(recovery.missing == nil, "the repair was acknowledged") }
            if recovery.missing == nil { closed += 1 } else { open += 1 }
            try heal(again, from: entries)
            #expect(try EventLogTests.open(disk).1.entries.prefix(9) == entries.map(\.summary)[...])
            guard isLost else { break }
            call += 1
        }
        #expect(call > 5 && open > 2 && closed > 0)
    }

    @Test func aFullDiskRefusesARepairAndTakesItLater() throws {
        let (disk, entries) = try Self.holed()
        let log = try open(disk).0
        disk.capacity = 40 << 10
        for _ in 0..<2 { #expect(code { _ = try log.repair(with: [entries[2]]) } == .noSpace) }
        #expect(log.missing != nil)
        disk.capacity = .max
        #expect(try log.repair(with: [entries[2]]) == [3])
        #expect(try open(disk).1.damage == nil)
    }

    @Test func patchesGoWithTheEntriesTheyHold() throws {
        let (disk, entries) = try Self.holed()
        let log = try open(disk).0
        try heal(log, from: entries)
        try log.release(through: 2)
        #expect(try disk.list().contains("patch-00000001"))
        try log.release(through: 9)
        #expect(try !disk.list().contains("patch-00000001") && !disk.list().contains("segment-00000001"))
        #expect(try open(disk).1.damage == nil)
    }

    @Test func aPeerIsGivenABlockByItsNameAndNeverARottenOne() throws {
        let disk = SimulatedDisk()
        let log = try open(disk).0
        let entries = chain(4, bytes: 200)
        try log.append([write(entries)])
        #expect(try log.block(index: 2, digest: entries[1].digest) == entries[1])
        #expect(
            try log.block(index: 2, digest: entries[2].digest) == nil && log.block(index: 9, digest: entries[2].digest) == nil)
        disk.flipBit(0, ofByte: 4096 + UInt64(56 * 2 + entries[0].block.count + 115), in: "segment-00000001")
        #expect(try log.block(index: 2, digest: entries[1].digest) == nil)
        #expect(log.missing?.wanted == [MissingBlock(index: 2, digest: entries[1].digest)])
        let more = chain(after: entries[3].summary, 2)
        try log.append([write(more)])
        try heal(log, from: entries)
        #expect(try log.read(from: 1, through: .max, maxBytes: .max) == entries + more)
    }

    /// Blocks lie in a patch as they came, and not in the order of the log.
    @Test(arguments: [[3, 2, 1], [1, 3, 2], [2, 1, 3], [1, 2, 3]]) func fetchedBlocksAreReadInAnyOrder(_ order: [Int]) throws {
        let disk = SimulatedDisk()
        let log = try open(disk).0
        let entries = chain(4, bytes: 300)
        try log.append([write(entries)])
        for index in 1...3 { try log.loseUnreadable(from: rot(entries, index, on: disk), through: LogIndex(index)) }
        #expect(log.missing?.indexes == [1, 2, 3])
        for index in order { #expect(try log.repair(with: [entries[index - 1]]) == [LogIndex(index)]) }
        #expect(try log.read(from: 1, through: 4, maxBytes: .max) == entries)
    }

    private func rot(_ entries: [Entry], _ index: Int, on disk: SimulatedDisk) -> LogIndex {
        let before = entries[..<(index - 1)].reduce(0) { $0 + 56 + $1.block.count }
        disk.flipBit(0, ofByte: UInt64(4096 + before + 56 + 20), in: "segment-00000001")
        return LogIndex(index)
    }

    /// A read that failed once is no rot: the block is there when it is asked for again.
    @Test func aBlockThatCouldNotBeReadOnceComesBack() throws {
        let disk = SimulatedDisk()
        let log = try open(disk).0
        let entries = chain(4, bytes: 300)
        try log.append([write(entries)])
        for _ in 0..<2 {
            disk.failNext(.read)
            #expect(try log.scrub(maxBytes: 1).lost.count == 1)
            let lost = try #require(log.missing?.wanted.first)
            #expect(try log.block(index: lost.index, digest: lost.digest) == entries[Int(lost.index) - 1])
            #expect(log.missing == nil)
        }
        disk.failNext(.read)
        let lost = try #require(try log.scrub(maxBytes: 1).lost.first)
        #expect(try log.read(from: lost.index, through: 4, maxBytes: .max) == Array(entries[(Int(lost.index) - 1)...]))
    }

    @Test func theScrubberFindsWhatRotsAtRest() throws {
        let (disk, entries) = try Self.holed()
        let log = try open(disk).0
        try heal(log, from: entries)
        let offset = UInt64(8192 + 56 * 2 + entries[3].block.count + 20)
        disk.flipBit(0, ofByte: offset, in: "segment-00000001")
        disk.flipBit(0, ofByte: 4096 + 20, in: "patch-00000001")
        var (lost, blocks, steps): ([MissingBlock], Int, Int) = ([], 0, 0)
        var isDone = false
        while !isDone, steps < 100 {
            let report = try log.scrub(maxBytes: 200)
            lost += report.lost
            blocks += report.blocks
            steps += 1
            isDone = report.isRoundDone
        }
        #expect(blocks == 12 && steps > 3)
        #expect(lost == [3, 5].map { MissingBlock(index: UInt64($0), digest: entries[$0 - 1].digest) })
        #expect(log.missing?.indexes == [3, 5])
        try heal(log, from: entries)
        #expect(try log.scrub(maxBytes: .max).lost.isEmpty && log.scrub(maxBytes: .max).isRoundDone)
        #expect(try open(disk).1.damage == nil)
    }
}
