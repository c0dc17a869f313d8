import Consensus
import Testing

@testable import EventLog

@Suite struct SnapshotTests {
    private static let chunkBytes = 256
    private let disk = SimulatedDisk()

    private var last: EntrySummary { chain(3).last!.summary }

    private func store(_ disk: any Disk) -> SnapshotStore {
        SnapshotStore(on: disk, cluster: tag, chunkBytes: Self.chunkBytes)
    }

    private func contents(_ count: Int) -> [UInt8] {
        var luck = Luck(7)
        return luck.text(count)
    }

    private func write(_ bytes: [UInt8], pieces: Int = 100, on disk: any Disk) throws -> SnapshotReference {
        let writer = try store(disk).write(upTo: last)
        var rest = bytes[...]
        while !rest.isEmpty {
            try writer.add(Array(rest.prefix(pieces)))
            rest = rest.dropFirst(pieces)
        }
        return try writer.finish()
    }

    private func read(_ file: SnapshotFile) throws -> [UInt8] {
        try file.contents.chunks.indices.flatMap { try file.chunk($0) }
    }

    @Test(arguments: [0, 1, 255, 256, 257, 1000, 2048]) func whatIsWrittenIsRead(_ count: Int) throws {
        let bytes = contents(count)
        let snapshot = try write(bytes, on: disk)
        let file = try store(disk).open(last.index)
        #expect(file.contents.reference == snapshot)
        #expect(file.contents.last == last)
        #expect(try read(file) == bytes)
        #expect(try store(disk).indexes() == [last.index])
    }

    @Test func theNameDoesNotHangOnThePieces() throws {
        let bytes = contents(2000)
        #expect(try write(bytes, pieces: 3, on: disk) == write(bytes, pieces: 1999, on: SimulatedDisk()))
        #expect(try write(bytes, on: disk) != write(contents(2001), on: SimulatedDisk()))
    }

    @Test func readingAgainFindsEveryFlippedByteAndSaysWhere() throws {
        let snapshot = try write(contents(600), on: disk)
        let name = FileNames.snapshot(last.index)
        let store = store(disk)
        #expect(try store.check(last.index).faults.isEmpty && store.check(last.index).chunks == 3)
        for offset in 0..<(try #require(disk.contents(name)).count) {
            disk.flipBit(offset % 8, ofByte: UInt64(offset), in: name)
            let check = try store.check(last.index)
            #expect(check.faults.count == 1 && check.faults[0].hasPrefix(name), "byte \(offset)")
            #expect(check.snapshot == nil || check.snapshot == snapshot)
            disk.flipBit(offset % 8, ofByte: UInt64(offset), in: name)
        }
        // In pieces.
        let first = try store.check(last.index, maxBytes: 1)
        #expect(first.chunks == 1 && first.next == 1)
        let rest = try store.check(last.index, from: 1)
        #expect(rest.chunks == 2 && rest.next == nil)
        #expect(code { _ = try store.check(7) } == .notInLog)
    }

    @Test func everyFlippedByteIsNoticed() throws {
        let bytes = contents(600)
        _ = try write(bytes, on: disk)
        let name = FileNames.snapshot(last.index)
        let size = try #require(disk.contents(name)).count
        for offset in 0..<size {
            disk.flipBit(offset % 8, ofByte: UInt64(offset), in: name)
            #expect(code { _ = try read(try store(disk).open(last.index)) } == .damaged, "byte \(offset)")
            disk.flipBit(offset % 8, ofByte: UInt64(offset), in: name)
        }
        #expect(try read(try store(disk).open(last.index)) == bytes)
    }

    @Test func aFileCutShortIsDamaged() throws {
        _ = try write(contents(600), on: disk)
        let whole = try #require(disk.contents(FileNames.snapshot(last.index)))
        for count in 0..<whole.count {
            let other = SimulatedDisk()
            let file = try other.open(FileNames.snapshot(last.index), create: true)
            try other.write(file, at: 0, Array(whole[..<count]))
            #expect(code { _ = try read(try store(other).open(last.index)) } == .damaged, "\(count) bytes")
        }
    }

    @Test func anUnfinishedOneHasNoName() throws {
        for call in 1...40 {
            let disk = SimulatedDisk()
            disk.callsUntilPowerLoss = call
            let finished = (try? write(contents(900), on: disk)) != nil
            var luck = Luck(UInt64(call))
            disk.crash(using: &luck)
            let found = try store(disk).indexes()
            if finished { #expect(found == [last.index]) }
            // What has its name after the power came back is whole.
            for index in found { #expect(try read(try store(disk).open(index)) == contents(900)) }
            if finished { return }
        }
        Issue.record("the writing never ended")
    }

    @Test func chunksComeInAnyOrderAndOverRestarts() throws {
        let bytes = contents(1500)
        let snapshot = try write(bytes, on: disk)
        let source = try store(disk).open(last.index)
        let here = SimulatedDisk()
        var receiver = try SnapshotReceiver(on: here, contents: source.contents)
        #expect(receiver.missing == [0, 1, 2, 3, 4, 5])
        #expect(try receiver.put(source.storedChunk(4), number: 4))
        #expect(try receiver.put(source.storedChunk(1), number: 1))
        #expect(try !receiver.put(source.storedChunk(1), number: 2), "the wrong one")
        #expect(try !receiver.put([1, 2, 3], number: 0), "garbage")
        #expect(try !receiver.put(source.storedChunk(1), number: 77), "a number that there is not")
        receiver.close()
        receiver = try SnapshotReceiver(on: here, contents: source.contents)
        #expect(receiver.missing == [0, 2, 3, 5])
        for number in receiver.missing.reversed() { #expect(try receiver.put(source.storedChunk(Int(number)), number: number)) }
        #expect(try receiver.finish() == snapshot)
        #expect(try read(try store(here).open(last.index)) == bytes)
        #expect(try here.list() == [FileNames.snapshot(last.index)])
    }

    @Test func tablesAreReadOnlyAsTheyWereWritten() throws {
        _ = try write(contents(1500), on: disk)
        let table = try store(disk).open(last.index).contents.encoded()
        #expect(SnapshotContents(table) != nil)
        for count in 0..<table.count { #expect(SnapshotContents(Array(table[..<count])) == nil) }
        var luck = Luck(5)
        for _ in 0..<500 { #expect(SnapshotContents(luck.bytes(luck.below(300))) == nil) }
    }

    /// Nodes of different releases name their snapshots by these bytes, and compare the names.
    @Test func theTableAndTheFileHaveTheBytesWrittenDown() throws {
        let writer = try store(disk).write(upTo: last)
        // One chunk that is kept as it is, and one of a byte.
        try writer.add((0...UInt8.max).map { $0 } + [7])
        let snapshot = try writer.finish()
        let file = try #require(disk.contents(FileNames.snapshot(last.index)))
        let table = hex(try store(disk).open(last.index).contents.encoded())
        #expect(table == Golden.snapshotTable)
        let (body, end) = (file[..<257], hex(file[257...]))
        #expect(body.elementsEqual((0...UInt8.max).map { $0 } + [7]) && end.hasPrefix(table))
        #expect(end.dropFirst(table.count) == Golden.snapshotEnd)
        #expect("\(snapshot.digest)" == Golden.snapshotDigest)
    }

    @Test func olderOnesGo() throws {
        var entries = chain(9)
        for place in [2, 5, 8] {
            let writer = try store(disk).write(upTo: entries[place].summary)
            try writer.add([1])
            _ = try writer.finish()
        }
        entries.removeAll()
        #expect(try store(disk).indexes() == [9, 6, 3])
        try store(disk).removeOlder(than: 6)
        #expect(try store(disk).indexes() == [9, 6])
    }

    // MARK: The log behind a snapshot

    @Test func aLogThatBeganAnewIsFoundSo() throws {
        let far = chain(40).last!.summary
        let (log, _) = try open(disk)
        try log.append([EventLogTests.write(chain(3), state: HardState(term: 4, vote: NodeID(2)), commit: 2)])
        try log.append([LogWrite(number: 2, hardState: nil, truncateFrom: nil, reset: far, entries: [], commit: far.index)])
        let behind = chain(after: far, 2)
        try log.append([EventLogTests.write(behind, commit: far.index)])
        log.close()
        let (again, recovery) = try open(disk)
        #expect(recovery.base == far)
        #expect(recovery.entries == behind.map(\.summary))
        #expect(recovery.commit == far.index)
        #expect(recovery.hardState == HardState(term: 4, vote: NodeID(2)))
        #expect(try again.read(from: far.index + 1, through: far.index + 2, maxBytes: 1 << 20) == behind)
        #expect(code { _ = try again.read(from: far.index, through: far.index, maxBytes: 1 << 20) } == .notInLog)
    }

    @Test func aTornResetLeavesTheOldLogOrTheNew() throws {
        let far = chain(40).last!.summary
        let old = chain(3)
        for seed in 0..<60 {
            let disk = SimulatedDisk()
            let (log, _) = try open(disk)
            try log.append([EventLogTests.write(old)])
            disk.callsUntilPowerLoss = 1 + seed % 3
            try? log.append([LogWrite(number: 2, hardState: nil, truncateFrom: nil, reset: far, entries: [], commit: 0)])
            var luck = Luck(UInt64(seed))
            disk.crash(using: &luck)
            let (_, recovery) = try open(disk)
            let isOld = recovery.base == .beforeFirst && recovery.entries == old.map(\.summary)
            let isNew = recovery.base == far && recovery.entries.isEmpty
            #expect(isOld || isNew, "seed \(seed)")
        }
    }

    @Test func segmentsFromBeforeAResetAreReleased() throws {
        let (log, _) = try open(disk)
        try log.append([EventLogTests.write(chain(40, bytes: 900))])
        let far = chain(100).last!.summary
        try log.append([LogWrite(number: 2, hardState: nil, truncateFrom: nil, reset: far, entries: [], commit: 0)])
        try log.append([EventLogTests.write(chain(after: far, 1))])
        try log.release(through: far.index)
        #expect(try LogFolder(on: disk).segments.count == 1)
        log.close()
        let (_, recovery) = try open(disk)
        #expect(recovery.base == far)
        #expect(recovery.entries.count == 1)
    }
}
