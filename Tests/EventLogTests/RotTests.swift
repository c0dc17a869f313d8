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

    @Test func rotInAnyByteOfAnAcknowledgedFrameIsRefusedAndNothingIsChanged() throws {
        let (disk, _, entries) = try Self.twoBatches()
        let used = entries[..<3].reduce(0) { $0 + 56 + $1.block.count }
        for offset in 0..<used {
            disk.flipBit(offset % 8, ofByte: 4096 + UInt64(offset), in: "segment-00000001")
            let before = disk.counters.writes
            #expect(code { _ = try open(disk) } == .damaged, "byte \(offset)")
            #expect(disk.counters.writes == before)
            disk.flipBit(offset % 8, ofByte: 4096 + UInt64(offset), in: "segment-00000001")
        }
        #expect(try open(disk).1.entries == entries.map(\.summary))
    }

    /// Votes have no chain of parents: only their numbers tell that one is missing.
    @Test func rotInAVoteBetweenVotesIsRefused() throws {
        let disk = SimulatedDisk()
        let log = try open(disk).0
        let votes = (1...3).map { write(state: HardState(term: $0, vote: NodeID($0))) }
        try log.append([votes[0], votes[1]])
        try log.append([votes[2]])
        for offset: UInt64 in 4096..<4096 + 160 {
            disk.flipBit(5, ofByte: offset, in: "segment-00000001")
            #expect(code { _ = try open(disk) } == .damaged, "byte \(offset)")
            disk.flipBit(5, ofByte: offset, in: "segment-00000001")
        }
        #expect(try open(disk).1.hardState.term == 3)
    }

    @Test func theErrorNamesFileOffsetAndEntries() throws {
        let (disk, _, entries) = try Self.twoBatches()
        disk.flipBit(1, ofByte: 4096 + UInt64(56 + entries[0].block.count + 60), in: "segment-00000001")
        let error = #expect(throws: EventLogError.self) { try open(disk) }
        #expect(
            error?.description == "segment-00000001 is damaged behind offset \(4096 + 56 + entries[0].block.count) "
                + "(entries 2 to 3); refusing to truncate what was acknowledged")
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
                #expect(code { _ = try open(disk) } == .damaged)
            } else {
                #expect(try open(disk).1.entries == entries[..<3].map(\.summary))
            }
        }
    }

    @Test func whatAnOpeningAcceptedIsCoveredFromThenOn() throws {
        let (disk, _, _) = try Self.twoBatches()
        _ = try open(disk)
        disk.flipBit(0, ofByte: 8192 + 100, in: "segment-00000001")
        #expect(code { _ = try open(disk) } == .damaged)
    }

    @Test func aLostOrRottenSegmentIsRefused() throws {
        let build = { () throws -> SimulatedDisk in
            let disk = SimulatedDisk()
            let log = try open(disk).0
            for entry in chain(12, bytes: 4000).map({ $0 }) { try log.append([write([entry])]) }
            return disk
        }
        let whole = try build()
        #expect(try whole.list().filter { $0.hasPrefix("segment-") }.count >= 3)
        for number in 1...2 {
            let rotten = try build()
            rotten.flipBit(0, ofByte: 20, in: "segment-0000000\(number)")
            #expect(code { _ = try open(rotten) } == .damaged)
        }
        let lost = try build()
        try lost.remove("segment-00000002")
        #expect(code { _ = try open(lost) } == .damaged)
        let short = try build()
        try short.remove("segment-00000002")
        _ = try short.open("segment-00000002", create: true)
        #expect(code { _ = try open(short) } == .damaged)
    }

    @Test func aReadOfRottenBytesIsAnErrorAndTheLogGoesOn() throws {
        let (disk, log, entries) = try Self.twoBatches()
        disk.flipBit(0, ofByte: 4096 + 56 + 115, in: "segment-00000001")
        #expect(code { _ = try log.read(from: 1, through: 5, maxBytes: .max) } == .damaged)
        #expect(try log.read(from: 2, through: 5, maxBytes: .max) == Array(entries[1...]))
        try log.append([write(chain(after: entries[4].summary, 1))])
    }
}
