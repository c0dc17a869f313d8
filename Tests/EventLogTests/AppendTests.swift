import Consensus
import EventLog
import Testing

@Suite struct AppendTests {
    @Test(arguments: [SimulatedDisk.Call.sync, .write]) func afterAFailedCallTheLogTakesNothingMore(call: SimulatedDisk.Call)
        throws
    {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        var luck = Luck(7)
        var entries = chain(1)
        for _ in 0..<2 { entries.append(entry(after: entries.last!.summary, payload: luck.bytes(3000))) }
        try log.append([write([entries[0]])])
        disk.failNext(call)
        #expect(code { try log.append([write([entries[1]])]) } == .disk)
        for _ in 0..<2 { #expect(code { try log.append([write([entries[2]])]) } == .poisoned) }
        #expect(code { try log.release(through: 1) } == .poisoned)
        #expect(code { try log.markDurable() } == .poisoned)
        disk.kill()
        let recovered = try open(disk).1.entries
        #expect(recovered == [entries[0].summary])
    }

    @Test func anEntryLargerThanASegmentIsRefusedAndNothingElse() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        var luck = Luck(4)
        let largest = (16 << 10) - 168 - 56 - BlockCodec.headerBytes
        let huge = entry(after: .beforeFirst, payload: luck.bytes(largest + 1))
        #expect(code { try log.append([write([huge])]) } == .tooLarge)
        let fits = entry(after: .beforeFirst, payload: luck.bytes(largest))
        try log.append([write([fits])])
        #expect(try open(disk).1.entries == [fits.summary])
    }

    @Test func aFullDiskRefusesABatchThatNeedsASegmentAndGoesOnWhenSpaceReturns() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        var luck = Luck(5)
        var last = EntrySummary.beforeFirst
        var done: [EntrySummary] = []
        disk.capacity = 30 << 10
        for _ in 0..<3 {
            let next = entry(after: last, payload: luck.bytes(3900))
            try log.append([write([next])])
            done.append(next.summary)
            last = next.summary
        }
        let next = entry(after: last, payload: luck.bytes(3900))
        for _ in 0..<2 { #expect(code { try log.append([write([next])]) } == .noSpace) }
        disk.capacity = .max
        try log.append([write([next])])
        #expect(try open(disk).1.entries == done + [next.summary])
    }

    @Test func readsAreBoundedAndGiveAtLeastOne() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(30, bytes: 1000)
        for entry in entries { try log.append([write([entry])]) }
        let size = entries[0].block.count
        #expect(try log.read(from: 5, through: 30, maxBytes: 0) == [entries[4]])
        #expect(try log.read(from: 5, through: 30, maxBytes: 3 * size) == Array(entries[4..<7]))
        #expect(try log.read(from: 5, through: 6, maxBytes: .max) == Array(entries[4..<6]))
        #expect(try log.read(from: 1, through: .max, maxBytes: .max) == entries)
        #expect(try log.read(from: 31, through: .max, maxBytes: .max).isEmpty)
        #expect(code { _ = try log.read(from: 0, through: 3, maxBytes: 1) } == .notInLog)
    }

    @Test func releasedSegmentsAreUsedAgainAndTheirEntriesAreGone() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        var entries = chain(24, bytes: 20)
        for entry in entries { try log.append([write([entry], state: HardState(term: entry.index, vote: NodeID(2)))]) }
        let before = try disk.list().filter { $0.hasPrefix("segment-") }.count
        #expect(before >= 6 && log.needsSpare)
        try log.release(through: 10)
        let files = try disk.list()
        #expect(files.filter { $0.hasPrefix("spare-") }.count == 2 && !files.contains("segment-00000001") && !log.needsSpare)
        #expect(code { _ = try log.read(from: 1, through: 2, maxBytes: 1) } == .notInLog)
        #expect(try log.read(from: 11, through: 24, maxBytes: .max) == Array(entries[10...]))
        let (again, recovery) = try open(disk)
        #expect(recovery.base.index >= 4 && recovery.base.index <= 10)
        #expect(recovery.base == entries[Int(recovery.base.index) - 1].summary)
        #expect(recovery.entries == entries[Int(recovery.base.index)...].map(\.summary))
        #expect(recovery.hardState == HardState(term: 24, vote: NodeID(2)))
        try again.release(through: 24)
        #expect(try open(disk).1.hardState == HardState(term: 24, vote: NodeID(2)))
        let more = chain(after: entries[23].summary, 12)
        for entry in more { try again.append([write([entry])]) }
        entries += more
        let last = try open(disk).1
        #expect(last.entries == entries[Int(last.base.index)...].map(\.summary))
    }

    /// The segment that is kept begins with a base that its own truncation went below.
    @Test func aReleaseAfterATruncationAcrossSegmentsKeepsTheRightBase() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(8)
        for entry in entries { try log.append([write([entry])]) }
        let new = chain(after: entries[1].summary, 5, term: 2)
        try log.append([write([new[0]], from: 3)])
        for entry in new[1...] { try log.append([write([entry])]) }
        let all = Array(entries[..<2]) + new
        try log.release(through: 2)
        #expect(try !disk.list().contains("segment-00000001"))
        let (again, recovery) = try open(disk)
        #expect(recovery.base == all[1].summary && recovery.entries == all[2...].map(\.summary))
        #expect(try again.read(from: 3, through: 99, maxBytes: .max) == new)
    }

    @Test func aSpareMadeElsewhereIsUsed() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        #expect(log.needsSpare)
        try SparePreparer.prepare(on: disk, segmentBytes: 16 << 10)
        try SparePreparer.prepare(on: disk, segmentBytes: 16 << 10)
        #expect(log.needsSpare)
        try log.adoptSpares()
        #expect(!log.needsSpare)
        disk.failNext(.write)
        #expect(throws: DiskError.self) { try SparePreparer.prepare(on: SimulatedDisk(capacity: 9000), segmentBytes: 16 << 10) }
        disk.kill()
        let (reopened, _) = try open(disk)
        let entries = chain(5)
        for entry in entries { try reopened.append([write([entry])]) }
        #expect(try reopened.needsSpare && disk.list().contains("segment-00000002"))
        #expect(try open(disk).1.entries == entries.map(\.summary))
    }

    @Test func spareOfAnotherSizeIsNotUsed() throws {
        let disk = SimulatedDisk()
        _ = try open(disk)
        try SparePreparer.prepare(on: disk, segmentBytes: 8 << 10)
        let (log, _) = try open(disk)
        #expect(log.needsSpare)
        let (other, _) = try open(disk, options: EventLogOptions(segmentBytes: 32 << 10))
        let entries = chain(20, bytes: 3000)
        for entry in entries { try other.append([write([entry])]) }
        #expect(try open(disk).1.entries == entries.map(\.summary))
    }

    @Test func anOfflineScanShowsWhatSurvivesAndChangesNothing() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(9, bytes: 1500)
        try log.append([write(entries, state: HardState(term: 1, vote: NodeID(1)), commit: 3)])
        let new = chain(after: entries[5].summary, 2, term: 2)
        try log.append([write(new, from: 7)])
        let before = disk.counters
        var seen: [Entry] = []
        let report = try EventLog.scan(disk) {
            seen.append($0); return true
        }
        #expect(seen == Array(entries[..<6]) + new)
        #expect(report.identity == me && report.commit == 3 && report.last == new[1].summary && report.damage == nil)
        #expect(report.hardState == HardState(term: 1, vote: NodeID(1)))
        #expect(disk.counters.writes == before.writes && disk.counters.syncs == before.syncs)
        var two = 0
        _ = try EventLog.scan(disk) { _ in
            two += 1; return two < 2
        }
        #expect(two == 2)
        disk.flipBit(0, ofByte: 4096 + 80 + 60, in: "segment-00000001")
        #expect(try EventLog.scan(disk) { _ in true }.damage?.from == 1)
    }
}
