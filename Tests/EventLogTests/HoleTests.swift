import Consensus
import EventLog
import Testing

@Suite struct HoleTests {
    /// Four segments with a dozen entries, all known to be durable.
    private static func fourSegments() throws -> (SimulatedDisk, [Entry]) {
        let disk = SimulatedDisk()
        let log = try open(disk).0
        let entries = chain(12)
        for entry in entries {
            let state = entry.index == 7 ? HardState(term: 1, vote: NodeID(2)) : nil
            try log.append([write([entry], state: state, commit: entry.index - 1)])
        }
        try log.markDurable()
        #expect(try disk.list().filter { $0.hasPrefix("segment-") }.count == 4)
        return (disk, entries)
    }

    private static func name(_ number: Int) -> String { "segment-0000000\(number)" }

    /// Whatever is left, it is right; what is gone is said to be, and others can give it back.
    private static func check(_ disk: SimulatedDisk, _ entries: [Entry], _ what: String) throws -> EventLog.Recovery {
        let (log, recovery) = try open(disk)
        #expect(recovery.hardState == HardState(term: 1, vote: NodeID(2)) && !recovery.isHardStateLost, "\(what)")
        #expect(recovery.isEndLost || recovery.last == entries.last!.summary, "\(what)")
        #expect(recovery.entries == entries[..<recovery.entries.count].map(\.summary), "\(what)")
        #expect(recovery.commit <= UInt64(recovery.entries.count), "\(what)")
        try heal(log, from: entries)
        let healed = entries[..<Int(recovery.last.index)]
        #expect(try log.read(from: 1, through: .max, maxBytes: .max) == Array(healed), "\(what)")
        // Life goes on behind what is known.
        let more = chain(after: recovery.last, 2, term: 3)
        try log.append([write(more)])
        let (_, again) = try open(disk)
        #expect(again.entries == (healed + more).map(\.summary), "\(what)")
        #expect(again.missing == nil && again.isEndLost == recovery.isEndLost, "\(what)")
        return recovery
    }

    @Test func aSegmentWhoseStartRottedIsReadAllTheSame() throws {
        for number in 1...4 {
            let (disk, entries) = try Self.fourSegments()
            disk.flipBit(0, ofByte: 20, in: Self.name(number))
            let recovery = try Self.check(disk, entries, "segment \(number)")
            #expect(recovery.damage == nil && recovery.entries.count == 12)
        }
    }

    @Test func aDeletedSegmentIsAHole() throws {
        for number in 1...4 {
            let (disk, entries) = try Self.fourSegments()
            try disk.remove(Self.name(number))
            let recovery = try Self.check(disk, entries, "segment \(number)")
            #expect(number < 4 ? recovery.missing?.ranges.count == 1 : recovery.isEndLost)
            #expect(number < 4 || recovery.damage != nil)
        }
    }

    @Test func allSegmentsDeletedLeaveWhatTheSuperblockKnows() throws {
        let (disk, entries) = try Self.fourSegments()
        for number in 1...4 { try disk.remove(Self.name(number)) }
        let recovery = try Self.check(disk, entries, "all")
        #expect(recovery.isEndLost && recovery.last == entries[11].summary && recovery.missing?.ranges == [1...12])
        #expect(recovery.missing?.wanted == [MissingBlock(index: 12, digest: entries[11].digest)])
        #expect(try disk.list().contains(Self.name(5)))
    }

    @Test func aWipedSegmentIsAHole() throws {
        for number in 1...4 {
            let (disk, entries) = try Self.fourSegments()
            try disk.wipe(Self.name(number))
            let recovery = try Self.check(disk, entries, "segment \(number)")
            #expect(recovery.damage != nil && recovery.isEndLost == (number == 4))
        }
    }

    @Test func aSegmentCutShortAnywhereIsAHole() throws {
        for number in 1...4 {
            for count in [0, 1, 55, 56, 100, 168, 4095, 4096, 4200, 8191, 8192, 8300, 12_288, 12_400, 16_383] {
                let (disk, entries) = try Self.fourSegments()
                try disk.shorten(Self.name(number), to: count)
                _ = try Self.check(disk, entries, "segment \(number) cut to \(count) bytes")
            }
        }
    }

    /// The last frames are gone, and only the superblock knows which entries they held.
    @Test func theLastEntryIsKnownThoughItsFrameRotted() throws {
        let (disk, entries) = try Self.fourSegments()
        let end = try #require(disk.contents(Self.name(4))).lastIndex { $0 != 0 }!
        for byte in [end - 40, end - 100] { disk.flipBit(0, ofByte: UInt64(byte), in: Self.name(4)) }
        let (log, recovery) = try open(disk)
        #expect(recovery.last == entries[11].summary && !recovery.isEndLost && recovery.missing?.ranges == [12...12])
        // A truncation to below it needs nothing of it.
        let new = chain(after: entries[10].summary, 2, term: 4)
        try log.append([write(new, from: 12)])
        #expect(log.missing == nil)
        #expect(try open(disk).1.entries == (entries[..<11] + new).map(\.summary))
    }

    /// Behind the last frames that the superblock knows stands one more, and rot makes it look as if another opening had
    /// written it: a later one there can't have been.
    @Test(arguments: [false, true]) func aFrameOfNoEarlierOpeningBehindALostOneIsNotOverlooked(turns: Bool) throws {
        let (disk, entries) = try Self.fourSegments()
        let (log, _) = try open(disk)
        let end = try #require(disk.contents(Self.name(4))).lastIndex { $0 != 0 }!
        let next = (UInt64(end) / 4096 + 1) * 4096
        try log.append([write(chain(after: entries[11].summary, 1))])
        let bytes = try #require(disk.contents(Self.name(4)))
        try #require(bytes.count > Int(next) + 56 && bytes[Int(next)...].starts(with: Array("frme".utf8)))
        for byte in [end - 40, end - 100] { disk.flipBit(0, ofByte: UInt64(byte), in: Self.name(4)) }
        // In the incarnation, and so that the checksum does not hold either.
        if turns { disk.flipBit(5, ofByte: next + 12, in: Self.name(4)) }
        let recovery = try open(disk).1
        if turns {
            #expect(recovery.isEndLost)
        } else {
            #expect(recovery.last.index == 13 && recovery.missing?.ranges == [12...12])
        }
    }

    @Test func aLostEndIsRememberedUntilItIsSettled() throws {
        let (disk, entries) = try Self.fourSegments()
        try disk.remove(Self.name(4))
        let files = try disk.list().count
        for _ in 0..<3 { #expect(try open(disk).1.isEndLost) }
        #expect(try disk.list().count == files + 1, "one new segment, however often it is opened")
        let (log, recovery) = try open(disk)
        try heal(log, from: entries)
        let more = chain(after: recovery.last, 2, term: 2)
        try log.append([write(more)])
        #expect(try open(disk).1.isEndLost)
        try open(disk).0.learn(end: more[1].summary, hardState: HardState(term: 2, vote: nil))
        let last = try open(disk).1
        #expect(!last.isEndLost && last.damage == nil && last.entries == (entries + more).map(\.summary))
    }

    /// What stands below a missing block is presumed; when that comes, its parent may be another one.
    @Test func aBranchThatWasCutOffIsNotTakenForTheLog() throws {
        let disk = SimulatedDisk()
        let log = try open(disk).0
        let old = chain(6)
        try log.append([write(old, commit: 2)])
        let new = chain(after: old[2].summary, 4, term: 2)
        try log.append([write(Array(new[..<2]), from: 4)])
        try log.append([write([new[2]])])
        try log.append([write([new[3]])])
        try log.markDurable()
        // The truncation and entries 4 and 5 of the new branch, and the header of 6.
        try disk.overwrite("segment-00000001", at: 8192, [UInt8](repeating: 7, count: 4096))
        disk.flipBit(0, ofByte: 12_288 + 56 + 30, in: "segment-00000001")
        let (again, recovery) = try open(disk)
        #expect(recovery.last == new[3].summary && recovery.missing?.wanted == [MissingBlock(index: 6, digest: new[2].digest)])
        // The old branch's entries are presumed, but no more than what was committed then is believed.
        #expect(recovery.entries == old[..<5].map(\.summary) && recovery.missing?.certainFrom == 6 && recovery.commit <= 2)
        #expect(try again.repair(with: [new[0], new[1]]).isEmpty, "nobody asked for these yet")
        #expect(try again.repair(with: [new[2]]) == [6])
        #expect(again.missing?.wanted == [MissingBlock(index: 5, digest: new[1].digest)])
        #expect(try again.repair(with: [new[0], new[1]]) == [5, 4])
        #expect(again.missing == nil)
        let all = old[..<3] + new
        #expect(try again.read(from: 1, through: .max, maxBytes: .max) == Array(all))
        #expect(try open(disk).1.entries == all.map(\.summary))
    }

    /// The other way round: the entries that were written first are the log, for the later ones were cut off again.
    @Test func aBlockThatSeemedCutOffIsUsedAgain() throws {
        let disk = SimulatedDisk()
        let log = try open(disk).0
        let old = chain(4)
        try log.append([write(old)])
        let other = chain(after: old[1].summary, 1, term: 2)
        try log.append([write(other, from: 3)])
        try log.append([write(Array(old[2...]), from: 3)])
        try log.append([write(chain(after: old[3].summary, 1, term: 3))])
        try disk.overwrite("segment-00000001", at: 12_288, [UInt8](repeating: 9, count: 4096))
        let recovery = try open(disk).1
        #expect(recovery.missing == nil && recovery.entries[..<4] == old.map(\.summary)[...] && recovery.entries.count == 5)
    }

    @Test func readsServeWhatIsThere() throws {
        let (disk, entries) = try Self.fourSegments()
        try disk.remove(Self.name(2))
        let (log, recovery) = try open(disk)
        let hole = try #require(recovery.missing?.ranges.first)
        #expect(try log.read(from: 1, through: .max, maxBytes: .max) == Array(entries[..<Int(hole.lowerBound - 1)]))
        #expect(try log.read(from: hole.upperBound + 1, through: .max, maxBytes: .max) == Array(entries[Int(hole.upperBound)...]))
        for index in hole { #expect(code { _ = try log.read(from: index, through: .max, maxBytes: 1) } == .missing) }
        #expect(code { try log.append([write(from: hole.upperBound)]) } == .missing, "its header is not known")
        try log.append([write(from: hole.lowerBound)])
        #expect(log.missing == nil)
    }
}
