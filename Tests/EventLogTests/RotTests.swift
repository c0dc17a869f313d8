import Consensus
import EventLog
import Testing

@Suite struct RotTests {
    /// Two acknowledged batches; the second knows that the first is durable.
    private static func twoBatches() throws -> (SimulatedDisk, EventLog, [Entry]) {
        let disk = SimulatedDisk()
        let log = try open(disk).0
        let entries = chain(5)
        try log.append([write(Array(entries[..<3]))])
        try log.append([write(Array(entries[3...]))])
        return (disk, log, entries)
    }

    @Test func rotInAnyByteOfAnAcknowledgedFrameIsAHoleThatOthersClose() throws {
        let used = try Self.twoBatches().2[..<3].reduce(0) { $0 + 56 + $1.block.count }
        var holes = 0
        for offset in 0..<used {
            let (disk, _, entries) = try Self.twoBatches()
            disk.flipBit(offset % 8, ofByte: 4096 + UInt64(offset), in: "segment-00000001")
            let (log, recovery) = try open(disk)
            #expect(recovery.last == entries[4].summary && !recovery.isEndLost && !recovery.isHardStateLost, "byte \(offset)")
            #expect(recovery.entries == entries[..<recovery.entries.count].map(\.summary), "byte \(offset)")
            #expect(recovery.missing?.ranges == recovery.damage?.entries)
            if recovery.missing != nil { holes += 1 }
            try heal(log, from: entries)
            #expect(try log.read(from: 1, through: 5, maxBytes: .max).map(\.block) == entries.map(\.block))
            let again = try open(disk).1
            #expect(again.entries == entries.map(\.summary) && again.damage == nil, "byte \(offset)")
        }
        // A rotten prefix costs nothing: the block behind it tells itself.
        #expect(holes == used - 3 * 56)
    }

    @Test func rotInAVoteLosesNoVote() throws {
        for offset: UInt64 in 4096..<4096 + 240 {
            let disk = SimulatedDisk()
            let log = try open(disk).0
            let votes = (1...3).map { write(state: HardState(term: $0, vote: NodeID($0))) }
            try log.append(votes)
            disk.flipBit(5, ofByte: offset, in: "segment-00000001")
            for _ in 0..<2 {
                let recovery = try open(disk).1
                #expect(recovery.hardState == HardState(term: 3, vote: NodeID(3)), "byte \(offset)")
                #expect(recovery.damage == nil && recovery.missing == nil)
            }
        }
    }

    /// The frame and the newest copy of the superblock have both rotted: the older copy is from before the vote.
    @Test func aVoteThatTwoRotsHaveSwallowedIsNotGuessed() throws {
        let disk = SimulatedDisk()
        let log = try open(disk).0
        for term: Term in 1...2 { try log.append([write(state: HardState(term: term, vote: NodeID(term)))]) }
        try log.append([write(chain(1))])
        disk.flipBit(0, ofByte: 8192 + 60, in: "segment-00000001")
        // The opening wrote copies 2 and 3, so the votes are in copies 4 and 5.
        disk.flipBit(0, ofByte: 4096 + 60, in: "superblock")
        for known: Term in [1, 9] {
            let (log, recovery) = try open(disk)
            #expect(recovery.isHardStateLost && recovery.hardState.term == known && recovery.damage?.isHardStateLost == true)
            #expect(recovery.entries.count == 1)
            try log.append([write(state: HardState(term: 9, vote: nil))])
        }
        let (lost, before) = try open(disk)
        try lost.learn(end: before.last, hardState: HardState(term: 10, vote: NodeID(1)))
        let after = try open(disk).1
        #expect(!after.isHardStateLost && after.hardState == HardState(term: 10, vote: NodeID(1)) && after.last == before.last)
    }

    @Test func theErrorNamesFileOffsetAndEntries() throws {
        let (disk, _, entries) = try Self.twoBatches()
        disk.flipBit(1, ofByte: 4096 + UInt64(56 + entries[0].block.count + 60), in: "segment-00000001")
        #expect(
            try open(disk).1.damage?.description
                == "segment-00000001 is damaged behind offset \(4096 + 56 + entries[0].block.count) (entry 2); "
                + "refusing to truncate what was acknowledged")
    }

    @Test func rotInPaddingHarmsNothing() throws {
        let (disk, _, entries) = try Self.twoBatches()
        let used = entries[..<3].reduce(0) { $0 + 56 + $1.block.count }
        for offset in stride(from: used, to: 4096, by: 13) {
            disk.flipBit(2, ofByte: 4096 + UInt64(offset), in: "segment-00000001")
        }
        #expect(try open(disk).1.entries == entries.map(\.summary))
    }

    @Test func theLastBatchIsCoveredOnceItIsMarked() throws {
        for marked in [false, true] {
            let (disk, log, entries) = try Self.twoBatches()
            if marked { try log.markDurable() }
            disk.flipBit(0, ofByte: 8192 + 100, in: "segment-00000001")
            if marked {
                let recovery = try open(disk).1
                #expect(recovery.missing?.wanted == [MissingBlock(index: 4, digest: entries[3].digest)])
                #expect(recovery.behindHole == [nil, entries[4].summary] && recovery.last == entries[4].summary)
            } else {
                #expect(try open(disk).1.entries == entries[..<3].map(\.summary))
            }
        }
    }

    @Test func whatAnOpeningAcceptedIsCoveredFromThenOn() throws {
        let (disk, _, _) = try Self.twoBatches()
        _ = try open(disk)
        disk.flipBit(0, ofByte: 8192 + 100, in: "segment-00000001")
        #expect(try open(disk).1.missing?.ranges == [4...4])
    }

    @Test func aReadOfRottenBytesIsAnErrorAndTheLogGoesOn() throws {
        let (disk, log, entries) = try Self.twoBatches()
        disk.flipBit(0, ofByte: 4096 + 56 + 115, in: "segment-00000001")
        #expect(code { _ = try log.read(from: 1, through: 5, maxBytes: .max) } == .damaged)
        #expect(try log.read(from: 2, through: 5, maxBytes: .max) == Array(entries[1...]))
        try log.append([write(chain(after: entries[4].summary, 1))])
    }
}
