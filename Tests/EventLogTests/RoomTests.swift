import Consensus
import EventLog
import Testing

/// A log on a disk that is filling up.
@Suite struct RoomTests {
    private static let options = EventLogOptions(segmentBytes: 16 << 10, readySpares: 2)

    /// What the disk thread does beside its writes.
    private func lookForRoom(_ log: EventLog, _ disk: SimulatedDisk) throws {
        guard log.wantsSpare() else { return }
        var failure: DiskError.Reason?
        do throws(DiskError) {
            try SparePreparer.prepare(on: disk, segmentBytes: log.options.segmentBytes, atMost: log.options.readySpares)
        } catch {
            failure = error.reason
        }
        try log.spareEnded(failure)
    }

    /// A log with all its spares, on a disk that is then full.
    private func full() throws -> (SimulatedDisk, EventLog) {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk, options: Self.options)
        for _ in 0..<3 { try lookForRoom(log, disk) }
        #expect(log.room == .ample && !log.needsSpare)
        #expect(try disk.list().count { $0.hasPrefix("spare-") } == 2)
        disk.capacity = disk.usedSpace
        try lookForRoom(log, disk)
        return (disk, log)
    }

    /// Entries of a page each, as long as there is room; gives which levels of room were met, in order.
    private func fill(_ log: EventLog, _ disk: SimulatedDisk, _ written: inout [Entry]) throws -> [Room] {
        var met = [log.room]
        for _ in 0..<40 {
            let next = entry(after: written.last?.summary ?? .beforeFirst, payload: [UInt8](repeating: 7, count: 100))
            guard try log.appendFitting([write([next])]) == 1 else { break }
            written.append(next)
            try lookForRoom(log, disk)
            if log.room != met.last { met.append(log.room) }
        }
        if log.room != met.last { met.append(log.room) }
        return met
    }

    /// Entries in a row that nothing can shorten.
    private func large(after start: EntrySummary, _ count: Int, bytes: Int) -> [Entry] {
        var luck = Luck(1)
        var last = start
        return (0..<count).map { _ in
            let next = entry(after: last, payload: luck.bytes(bytes))
            last = next.summary
            return next
        }
    }

    @Test func aFullDiskIsSaidAheadAndEndsWithWritesThatWait() throws {
        let (disk, log) = try full()
        var written: [Entry] = []
        #expect(try fill(log, disk, &written) == [.low, .reserve, .none])
        // The first segment and both spares, four pages each, but for the page that the first begins with.
        #expect(written.count == 11)
        let next = entry(after: written.last!.summary, payload: [1])
        for _ in 0..<2 { #expect(try log.appendFitting([write([next])]) == 0) }
        #expect(log.room == .none)
        #expect(try open(disk, options: Self.options).1.entries == written.map(\.summary), "nothing is lost")
    }

    @Test func whereThereIsRoomAgainTheLogGoesOnWithoutBeingOpenedAnew() throws {
        let (disk, log) = try full()
        var written: [Entry] = []
        _ = try fill(log, disk, &written)
        disk.capacity = .max
        let next = entry(after: written.last!.summary, payload: [1])
        #expect(try log.appendFitting([write([next])]) == 1)
        for _ in 0..<3 { try lookForRoom(log, disk) }
        #expect(log.room == .ample && !log.needsSpare)
        #expect(try open(disk, options: Self.options).1.entries == (written + [next]).map(\.summary))
    }

    @Test func whatIsReleasedBecomesTheReserveAgain() throws {
        let (disk, log) = try full()
        var written: [Entry] = []
        _ = try fill(log, disk, &written)
        try log.release(through: written[8].index)
        try lookForRoom(log, disk)
        #expect(log.room == .low && !log.needsSpare)
        #expect(try fill(log, disk, &written).last == Room.none)
        #expect(try open(disk, options: Self.options).1.last == written.last!.summary)
    }

    @Test func writesAreDoneInOrderAsFarAsThereIsRoom() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk, options: Self.options)
        disk.capacity = disk.usedSpace
        let entries = chain(5)
        // Of four pages one is taken, and each write takes one.
        #expect(try log.appendFitting(entries.map { write([$0]) }) == 5, "what fits together takes one page")
        let more = large(after: entries[4].summary, 3, bytes: 3900)
        #expect(try log.appendFitting(more.map { write([$0]) }) == 2)
        #expect(try open(disk, options: Self.options).1.last == more[1].summary)
    }

    @Test func aBatchThatNeedsTwoSegmentsIsRefusedWholeWhereThereIsOne() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk, options: Self.options)
        try SparePreparer.prepare(on: disk, segmentBytes: 16 << 10)
        try log.adoptSpares()
        disk.capacity = disk.usedSpace
        let entries = large(after: .beforeFirst, 3, bytes: 9000)
        #expect(code { try log.append([write(entries)]) } == .noSpace)
        disk.capacity = .max
        try log.append([write(entries)])
        #expect(try open(disk, options: Self.options).1.entries == entries.map(\.summary))
    }

    @Test func aVoteFitsInWhatIsLeft() throws {
        let (disk, log) = try full()
        var written: [Entry] = []
        for _ in 0..<40 where log.room != .none {
            let next = entry(after: written.last?.summary ?? .beforeFirst, payload: [UInt8](repeating: 7, count: 100))
            // A segment's last page is what votes need.
            guard try log.appendFitting([write([next])]) == 1 else { break }
            written.append(next)
            try lookForRoom(log, disk)
            if log.room == .reserve, written.count == 10 { break }
        }
        let vote = HardState(term: 3, vote: NodeID(2))
        #expect(try log.appendFitting([write(state: vote)]) == 1)
        #expect(try open(disk, options: Self.options).1.hardState == vote)
    }

    /// What is left must do for the next snapshot, since that is what lets the log be shortened.
    @Test func aSpareLeavesRoomForTheNextSnapshot() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk, options: Self.options)
        let snapshot = try disk.open("snapshot-00000001", create: true)
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 8000, alignment: 1)
        defer { bytes.deallocate() }
        bytes.initializeMemory(as: UInt8.self, repeating: 1)
        try disk.write(snapshot, at: 0, UnsafeRawBufferPointer(bytes))
        disk.capacity = disk.usedSpace + (16 << 10) + 9999
        #expect(!log.wantsSpare() && log.needsSpare && log.room == .reserve)
        disk.capacity += 1
        #expect(log.wantsSpare() && log.room == .ample)
    }

    @Test func aNodeOpensItsLogOnAFullDisk() throws {
        let (disk, log) = try full()
        var written: [Entry] = []
        _ = try fill(log, disk, &written)
        let (again, recovery) = try open(disk, options: Self.options)
        #expect(recovery.entries == written.map(\.summary))
        #expect(!again.wantsSpare() && again.needsSpare && again.room == .none)
        disk.capacity = .max
        #expect(again.wantsSpare() && again.room == .ample)
    }
}
