import Consensus
import EventLog
import Testing

@Suite struct RecoveryTests {
    @Test func aNewLogIsEmptyAndBeginsWithTheseBytes() throws {
        let disk = SimulatedDisk()
        let (_, recovery) = try open(disk)
        #expect(recovery.hardState == HardState(term: 0, vote: nil) && recovery.entries.isEmpty && recovery.commit == 0)
        #expect(recovery.base == .beforeFirst && recovery.incarnation == 1 && recovery.torn == nil)
        let segment = try #require(disk.contents("segment-00000001"))
        #expect(segment.count == 16 << 10)
        #expect(hex(segment[..<168]) == Golden.segmentStart)
        #expect(segment[168...].allSatisfy { $0 == 0 })
        let superblock = try #require(disk.contents("superblock"))
        #expect(hex(superblock[..<56]) == Golden.superblock2 && hex(superblock[304..<488]) == Golden.superblock2Notes)
        #expect(superblock[56..<304].allSatisfy { $0 == 0 } && superblock[488..<4080].allSatisfy { $0 == 0 })
        #expect(hex(superblock[4080..<4096]) == Golden.superblock2Digest)
    }

    /// A folder of the version before: its superblock knows neither the last entry nor the votes.
    @Test func aSuperblockOfFormat1IsRead() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(3)
        try log.append([write(entries, state: HardState(term: 1, vote: NodeID(3)))])
        let slot = bytes(hex: Golden.superblock) + [UInt8](repeating: 0, count: 4080 - 56) + bytes(hex: Golden.superblockDigest)
        try disk.overwrite("superblock", at: 0, slot + [UInt8](repeating: 0, count: 4096))
        let recovery = try open(disk).1
        #expect(recovery.entries == entries.map(\.summary) && recovery.hardState == HardState(term: 1, vote: NodeID(3)))
        #expect(recovery.incarnation == 2 && recovery.damage == nil)
    }

    @Test func aBatchStartsOnAPageWithTheseBytes() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        try log.append([write(state: HardState(term: 5, vote: NodeID(2)), commit: 0)])
        let segment = try #require(disk.contents("segment-00000001"))
        #expect(hex(segment[4096..<4096 + 80]) == Golden.hardStateFrame)
    }

    @Test func entriesAndATruncationHaveTheseBytes() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let first = entry(after: .beforeFirst, payload: Array("hello".utf8))
        try log.append([write([first, entry(after: first.summary, payload: Array("world".utf8))])])
        try log.append([write(from: 2)])
        let segment = try #require(disk.contents("segment-00000001"))
        #expect(hex(segment[4096..<4096 + 173]) == Golden.blockFrame)
        #expect(hex(segment[8192..<8192 + 112]) == Golden.truncateFrame)
    }

    @Test func whatWasAppendedIsThereAfterReopening() throws {
        let disk = SimulatedDisk()
        let entries = chain(40, bytes: 900)
        do {
            let (log, _) = try open(disk)
            for piece in 0..<10 {
                let part = Array(entries[piece * 4..<piece * 4 + 4])
                try log.append([write(part, state: HardState(term: 1, vote: NodeID(3)), commit: UInt64(piece * 4))])
            }
            #expect(log.counters.blocks == 40 && log.counters.rawBytes == 36_000)
        }
        let (log, recovery) = try open(disk)
        #expect(recovery.entries == entries.map(\.summary))
        #expect(recovery.hardState == HardState(term: 1, vote: NodeID(3)) && recovery.commit == 36 && recovery.incarnation == 2)
        #expect(try log.read(from: 1, through: 40, maxBytes: .max).map(\.block) == entries.map(\.block))
    }

    @Test func anAppendIsOneWriteAndOneSyncHoweverManyWritesItHolds() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(6)
        let before = disk.counters
        let taken = log.counters.diskBytes
        try log.append(entries.map { write([$0], state: HardState(term: $0.index, vote: nil)) })
        // The new hard state stands in the superblock as well, which is one more of each.
        #expect(disk.counters.syncs == before.syncs + 2 && disk.counters.writes == before.writes + 2)
        #expect(disk.counters.bytesWritten == before.bytesWritten + 2 * 4096)
        #expect(
            log.counters.syncs == 1 && log.counters.writes == 1 && log.counters.frames == 12
                && log.counters.diskBytes == taken + 4096)
        try log.append([])
        try log.append([write(commit: 4)])
        #expect(log.counters.syncs == 1)
        let more = chain(after: entries[5].summary, 3)
        try log.append(more.map { write([$0], state: HardState(term: 6, vote: nil)) })
        #expect(disk.counters.syncs == before.syncs + 3 && disk.counters.writes == before.writes + 3)
    }

    @Test func aTornTailIsCutAtEveryLength() throws {
        let first = chain(2)
        let rest = chain(after: first[1].summary, 3)
        let lengths = rest.map { 56 + $0.block.count }
        for cut in 0...lengths.reduce(0, +) {
            let disk = SimulatedDisk()
            let (log, _) = try open(disk)
            try log.append([write(first)])
            try log.append([write(rest)])
            try disk.overwrite("segment-00000001", at: 8192 + UInt64(cut), [UInt8](repeating: 0, count: 4096 - cut))
            let (reopened, recovery) = try open(disk)
            var whole = 0
            while whole < 3, lengths[...whole].reduce(0, +) <= cut { whole += 1 }
            #expect(recovery.entries == (first + rest[..<whole]).map(\.summary), "cut at \(cut)")
            let more = chain(after: (first + rest[..<whole]).last!.summary, 2, term: 2)
            try reopened.append([write(more)])
            #expect(try open(disk).1.entries == (first + rest[..<whole] + more).map(\.summary), "cut at \(cut)")
        }
    }

    @Test func aTornTailIsReported() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(3, bytes: 2000)
        try log.append([write([entries[0]])])
        try log.append([write(Array(entries[1...]))])
        disk.flipBit(0, ofByte: 8192 + 60, in: "segment-00000001")
        let recovery = try open(disk).1
        #expect(recovery.entries == [entries[0].summary])
        let torn = try #require(recovery.torn)
        #expect(torn.file == "segment-00000001" && torn.offset == 8192 && torn.frames == 2)
        #expect(torn.bytes == UInt64(56 + entries[1].block.count + 56 + entries[2].block.count))
        #expect(try open(disk).1.entries == [entries[0].summary])
    }

    /// Frames behind a cut keep their bytes and their numbers; only their incarnation tells that they are gone.
    @Test func framesBehindACutNeverComeBack() throws {
        let disk = SimulatedDisk()
        var luck = Luck(6)
        // A block whose frame fills its page, so that the vote behind it in the batch starts the next one.
        let page = { entry(after: .beforeFirst, payload: luck.bytes(4096 - 56 - BlockCodec.headerBytes)) }
        let opened = try open(disk).0
        let superblock = try #require(disk.contents("superblock"))
        try opened.append([write([page()]), write(state: HardState(term: 77, vote: NodeID(9)))])
        // The power failed before the superblock had the new hard state.
        try disk.overwrite("superblock", at: 0, superblock)
        disk.flipBit(0, ofByte: 4096 + 300, in: "segment-00000001")
        let (log, recovery) = try open(disk)
        #expect(recovery.entries.isEmpty && recovery.hardState.term == 0 && recovery.torn?.frames == 2)
        let new = page()
        try log.append([write([new])])
        let last = try open(disk).1
        #expect(last.entries == [new.summary] && last.hardState.term == 0, "the vote behind the cut has the next number")
    }

    @Test func aTruncationTakesTheEntriesAndTheCommitStaysBelow() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(6)
        try log.append([write(entries, commit: 2)])
        let new = chain(after: entries[2].summary, 2, term: 2, bytes: 33)
        try log.append([write(new, state: HardState(term: 2, vote: nil), from: 4, commit: 5)])
        let (again, recovery) = try open(disk)
        #expect(recovery.entries == (entries[..<3] + new).map(\.summary) && recovery.commit == 5)
        #expect(try again.read(from: 3, through: 99, maxBytes: .max) == [entries[2]] + new)
        #expect(try again.read(from: 6, through: 99, maxBytes: .max).isEmpty)
    }

    @Test func aTruncationMayCutWhatTheSameAppendWrote() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(3)
        let new = chain(after: entries[1].summary, 1, term: 2)
        try log.append([write(entries), write(new, from: 3), write(from: 50)])
        #expect(try open(disk).1.entries == (entries[..<2] + new).map(\.summary))
    }

    /// The hint of a write holds once its truncation is done: alone, the hard state before it must not carry it.
    @Test func aCommitThatCameWithATruncationDoesNotCoverTheEntriesBeforeIt() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(6)
        try log.append([write(entries, commit: 2)])
        let new = chain(after: entries[2].summary, 3, term: 2)
        let superblock = try #require(disk.contents("superblock"))
        try log.append([write(new, state: HardState(term: 2, vote: nil), from: 4, commit: 6)])
        // Only the hard state's frame of the second batch reached the disk before the power failed.
        try disk.overwrite("superblock", at: 0, superblock)
        try disk.overwrite("segment-00000001", at: 8192 + 80, [UInt8](repeating: 0, count: 4096 - 80))
        let recovery = try open(disk).1
        #expect(recovery.hardState.term == 2 && recovery.entries == entries.map(\.summary) && recovery.commit == 2)
    }

    @Test func anotherIdentityIsRefusedByName() throws {
        let disk = SimulatedDisk()
        _ = try open(disk)
        for other in [LogIdentity(cluster: "other", node: 1), LogIdentity(cluster: "test", node: 2)] {
            let error = #expect(throws: EventLogError.self) { try EventLog.open(on: disk, identity: other, options: small) }
            #expect(error?.code == .wrongIdentity)
            #expect(error?.description == "the data folder belongs to \(me), not to \(other)")
        }
    }

    @Test func oneRottenCopyOfTheSuperblockIsNoHarm() throws {
        for slot: UInt64 in [0, 1] {
            let disk = SimulatedDisk()
            let (log, _) = try open(disk)
            let entries = chain(2)
            try log.append([write(entries)])
            disk.flipBit(3, ofByte: slot * 4096 + 50, in: "superblock")
            let recovery = try open(disk).1
            #expect(recovery.entries == entries.map(\.summary) && recovery.incarnation == 2)
        }
    }

    @Test(arguments: SuperblockLoss.allCases) func aLostSuperblockIsMadeAnewFromWholeSegments(loss: SuperblockLoss) throws {
        let (disk, entries) = try Self.threeSegments()
        try loss.strike(disk)
        let other = #expect(throws: EventLogError.self) {
            try EventLog.open(on: disk, identity: LogIdentity(cluster: "other", node: 1), options: small)
        }
        #expect(other?.code == .wrongIdentity)
        let (log, recovery) = try open(disk)
        #expect(recovery.entries == entries.map(\.summary) && recovery.hardState == HardState(term: 5, vote: NodeID(2)))
        #expect(recovery.damage == nil && recovery.incarnation == 2)
        let more = chain(after: entries.last!.summary, 3)
        try log.append([write(more)])
        #expect(try open(disk).1.entries == (entries + more).map(\.summary))
    }

    /// Nothing tells any more what the frame that can't be read was, or whether there was one.
    @Test(arguments: SuperblockLoss.allCases) func aLostSuperblockBesideADamagedSegmentIsRefusedInOneLine(
        loss: SuperblockLoss
    ) throws {
        for (file, byte): (String, UInt64) in [
            ("segment-00000001", 20), ("segment-00000001", 4096 + 70), ("segment-00000002", 20), ("segment-00000003", 20),
        ] {
            let (disk, _) = try Self.threeSegments()
            try loss.strike(disk)
            disk.flipBit(0, ofByte: byte, in: file)
            let error = #expect(throws: EventLogError.self, "\(file) at \(byte)") { try open(disk) }
            #expect(error?.code == .damaged && error?.description.contains("\n") == false)
        }
        let (disk, _) = try Self.threeSegments()
        try loss.strike(disk)
        try disk.remove("segment-00000002")
        #expect(code { _ = try open(disk) } == .damaged)
    }

    private static func threeSegments() throws -> (SimulatedDisk, [Entry]) {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(8)
        for entry in entries { try log.append([write([entry], state: HardState(term: 5, vote: NodeID(2)))]) }
        #expect(try disk.list().filter { $0.hasPrefix("segment-") }.count == 3)
        return (disk, entries)
    }
}

enum SuperblockLoss: CaseIterable {
    case removed, emptied, bothRotten, zeroed

    func strike(_ disk: SimulatedDisk) throws {
        switch self {
        case .removed: try disk.remove("superblock")
        case .emptied:
            try disk.remove("superblock")
            disk.close(try disk.open("superblock", create: true))
        case .bothRotten:
            for slot: UInt64 in [0, 1] { disk.flipBit(1, ofByte: slot * 4096 + 36, in: "superblock") }
        case .zeroed: try disk.overwrite("superblock", at: 0, [UInt8](repeating: 0, count: 8192))
        }
    }
}
