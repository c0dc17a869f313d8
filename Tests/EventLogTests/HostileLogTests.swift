import Consensus
import Testing

@testable import EventLog

/// Checksums only show that nothing was changed by chance: what lies behind them must not end the process either.
/// Each of these was found by fuzzing.
@Suite struct HostileLogTests {
    private static let largest = UInt64.max

    /// A folder whose first segment begins with this, its checksum right.
    private static func folder(
        incarnation: UInt32 = 1, sequence: UInt64 = 1, index: UInt64 = 0, term: UInt64 = 0, time: UInt64 = 0, next: UInt64 = 0
    ) throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        try open(disk).0.close()
        let last = EntrySummary(
            kind: .commands, term: term, index: index, time: time, nextCommand: next, digest: .zero, byteCount: 0)
        let start = SegmentStart(segment: 1, cluster: tag, node: 1, hardState: HardState(term: 0, vote: nil), last: last)
        let batch = BatchBuffer()
        let prefix = FramePrefix(
            kind: .segmentStart, payloadLength: UInt32(SegmentStart.byteCount), incarnation: incarnation, sequence: sequence,
            durable: 0, commit: 0)
        batch.add(prefix) { start.write(to: $0) }
        batch.pad()
        try disk.overwrite("segment-00000001", at: 0, Array(batch.bytes))
        return disk
    }

    private static func folder(superblock: Superblock) throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        try open(disk).0.close()
        for slot: UInt64 in [0, 4096] { try disk.overwrite("superblock", at: slot, superblock.encoded()) }
        return disk
    }

    private static func superblock(
        sequence: UInt64 = 9, incarnation: UInt32 = 9, durable: UInt64 = 1, notes: SuperblockNotes? = nil
    ) -> Superblock {
        Superblock(identity: me, sequence: sequence, incarnation: incarnation, durable: durable, notes: notes)
    }

    private static func notes(
        hardState: HardState = HardState(term: 0, vote: nil), last: LogIndex = 0, base: LogIndex = 0, first: UInt64 = 1,
        tail: UInt64 = 1, offset: UInt64 = 4096, bytes: UInt64 = 16 << 10, opened: UInt64 = 1
    ) -> SuperblockNotes {
        func summary(_ index: LogIndex) -> EntrySummary {
            EntrySummary(
                kind: .commands, term: 0, index: index, time: 0, nextCommand: 0,
                digest: index == 0 ? .zero : Digest(high: 1, low: index), byteCount: 0)
        }
        return SuperblockNotes(
            hardState: hardState, last: summary(last), base: summary(base), firstSegment: first, tailSegment: tail,
            tailOffset: offset, tailBytes: bytes, opened: opened)
    }

    /// Refused, and then nothing was changed.
    private static func isRefused(_ disk: SimulatedDisk) -> Bool {
        let writes = disk.counters.writes
        let isDamaged = code { _ = try open(disk) } == .damaged && code { _ = try EventLog.scan(disk) { _ in true } } == .damaged
        return isDamaged && disk.counters.writes == writes
    }

    /// Opened as the offline scan says, carried on, and opened again.
    private static func carryOn(_ disk: SimulatedDisk) throws -> EventLog.Recovery {
        let report = try EventLog.scan(disk) { _ in true }
        let (log, recovery) = try open(disk)
        #expect(report.damage == recovery.damage && report.last == recovery.last)
        let more = chain(after: recovery.last, 2, term: recovery.last.term)
        try log.append([write(more)])
        log.close()
        let (again, second) = try open(disk)
        again.close()
        #expect(second.last == more.last?.summary && second.incarnation == recovery.incarnation + 1)
        #expect(second.isEndLost == recovery.isEndLost && second.missing?.indexes == recovery.missing?.indexes)
        return recovery
    }

    /// The segment's start is not believed; the superblock beside it knows of nothing that is missing.
    @Test func aStartBeyondAllNumbersIsNotBelieved() throws {
        for disk in try [
            Self.folder(index: Self.largest), Self.folder(term: Self.largest), Self.folder(time: Self.largest),
            Self.folder(next: Self.largest),
        ] {
            let recovery = try Self.carryOn(disk)
            #expect(recovery.last.index == 0 && recovery.missing == nil)
        }
    }

    /// Believed for what it is made of, but no log counts on from there.
    @Test func aLogThatHasComeImpossiblyFarIsDamage() throws {
        let far = UInt64(1) << 62 + 1
        for notes in [
            Self.notes(hardState: HardState(term: far, vote: nil)), Self.notes(last: far, base: far),
            Self.notes(first: 5, tail: 4),
            Self.notes(tail: .max), Self.notes(first: .max, tail: .max),
        ] {
            #expect(Self.isRefused(try Self.folder(superblock: Self.superblock(notes: notes))), "\(notes)")
        }
        #expect(Self.isRefused(try Self.folder(superblock: Self.superblock(durable: .max))))
        #expect(Self.isRefused(try Self.folder(superblock: Self.superblock(durable: .max, notes: Self.notes()))))
        #expect(Self.isRefused(try Self.folder(superblock: Self.superblock(sequence: far))))
    }

    /// The places of missing entries take memory: not more than lost files may have held.
    @Test func moreEntriesThanAnyFilesHeldAreDamage() throws {
        let lost = try Self.carryOn(Self.folder(superblock: Self.superblock(notes: Self.notes(last: 1000))))
        #expect(lost.missing?.indexes.count == 1000 && lost.damage != nil)
        for last in [1 << 17, 1 << 40, 1 << 61] as [LogIndex] {
            #expect(Self.isRefused(try Self.folder(superblock: Self.superblock(notes: Self.notes(last: last)))), "\(last)")
        }
    }

    /// These numbers are only compared, so the log opens.
    @Test(arguments: [0, 1, 4095, 1 << 40, .max] as [UInt64])
    func placesThatTheSuperblockMadeUpAreHarmless(_ number: UInt64) throws {
        for notes in [Self.notes(offset: number), Self.notes(bytes: number), Self.notes(opened: number)] {
            for durable: UInt64 in [1, 7] {
                _ = try Self.carryOn(Self.folder(superblock: Self.superblock(durable: durable, notes: notes)))
            }
        }
    }

    @Test func aLastOpeningIsNotTheOneBefore() throws {
        #expect(try open(Self.folder(superblock: Self.superblock(incarnation: 1000))).1.incarnation == 1001)
        #expect(Self.isRefused(try Self.folder(superblock: Self.superblock(incarnation: 1 << 30 + 1))))
        // No copy is whole, so the superblock is made anew from the segments.
        #expect(try Self.carryOn(Self.folder(superblock: Self.superblock(incarnation: .max))).incarnation == 1)
        #expect(try Self.carryOn(Self.folder(incarnation: .max)).incarnation == 2)
    }

    /// The copy of the superblock that counted the second opening has rotted, so the third one must not take its number.
    @Test func whatALaterOpeningWroteNeverCountsAgainOnceItIsCutOff() throws {
        let disk = SimulatedDisk()
        let first = chain(1)[0]
        let log = try open(disk).0
        try log.append([write([first])])
        log.close()
        let second = try open(disk).0
        // It fills a page, so that the one behind it outlives what comes in its place.
        var luck = Luck(1)
        let torn = entry(after: first.summary, payload: luck.bytes(4096 - FramePrefix.byteCount - BlockHeader.byteCount))
        try second.append([write([torn, entry(after: torn.summary, payload: [1])])])
        second.close()
        disk.flipBit(0, ofByte: 8192 + 20, in: "segment-00000001")
        try disk.overwrite("superblock", at: 4096, [UInt8](repeating: 0, count: 4096))
        let (third, recovery) = try open(disk)
        #expect(recovery.torn != nil && recovery.entries == [first.summary] && recovery.incarnation == 3)
        let next = entry(after: first.summary, payload: [2])
        try third.append([write([next])])
        third.close()
        let last = try open(disk).1
        #expect(last.entries == [first.summary, next.summary] && last.damage == nil)
    }

    /// Its start is another segment's, so it is passed over and used again: the vote behind its start must not come up then.
    @Test func whatASegmentHeldThatWasPassedOverNeverCountsOnceItIsUsedAgain() throws {
        let disk = SimulatedDisk()
        try open(disk).0.close()
        let start = SegmentStart(
            segment: 7, cluster: tag, node: 1, hardState: HardState(term: 0, vote: nil), last: .beforeFirst)
        let batch = BatchBuffer()
        batch.add(
            FramePrefix(
                kind: .segmentStart, payloadLength: UInt32(SegmentStart.byteCount), incarnation: 1, sequence: 5, durable: 4,
                commit: 0)
        ) { start.write(to: $0) }
        batch.pad()
        batch.add(
            FramePrefix(
                kind: .hardState, payloadLength: UInt32(HardState.encodedBytes), incarnation: 30, sequence: 9, durable: 8,
                commit: 0)
        ) { HardState(term: 9, vote: NodeID(3)).write(to: $0, at: 0) }
        batch.pad()
        disk.close(try disk.open("segment-00000002", create: true))
        try disk.overwrite("segment-00000002", at: 0, Array(batch.bytes) + [UInt8](repeating: 0, count: 8192))
        let (log, recovery) = try open(disk)
        #expect(recovery.incarnation == 31 && recovery.damage == nil)
        let entries = chain(4)
        for entry in entries { try log.append([write([entry])]) }
        log.close()
        let second = try open(disk).1
        #expect(second.entries == entries.map(\.summary) && second.hardState.vote == nil && second.damage == nil)
    }

    @Test func aLastSuperblockIsMadeAnew() throws {
        #expect(try Self.carryOn(Self.folder(superblock: Self.superblock(sequence: .max))).damage == nil)
    }

    /// Of another cluster besides, it would have let the log begin over the segment's own first frame.
    @Test func aSuperblockThatKnowsNoFrameIsMadeAnew() throws {
        #expect(try Self.carryOn(Self.folder(superblock: Self.superblock(durable: 0))).damage == nil)
        var other = Self.superblock(durable: 0)
        other.identity = LogIdentity(cluster: "", node: 0)
        #expect(try Self.carryOn(Self.folder(superblock: other)).last == .beforeFirst)
    }

    /// Repaired, it would be longer than a superblock has room for.
    @Test func aClusterNameThatIsNoTextIsNotBelieved() throws {
        var slot = Self.superblock().encoded()
        slot[48] = 0xff
        slot.withUnsafeMutableBytes { $0.put(Hashing.digest($0.part(0..<4080)), at: 4080) }
        let disk = try Self.folder(superblock: Self.superblock())
        for offset: UInt64 in [0, 4096] { try disk.overwrite("superblock", at: offset, slot) }
        #expect(try Self.carryOn(disk).damage == nil)
    }

    /// Without a superblock the segments tell the digest of the cluster's name alone.
    @Test func aClusterThatIsCalledUnknownGetsNoFolderOfAnother() throws {
        let disk = SimulatedDisk()
        try open(disk).0.close()
        try disk.wipe("superblock")
        #expect(try EventLog.scan(disk) { _ in true }.identity.cluster == "(unknown)")
        let unknown = LogIdentity(cluster: "(unknown)", node: me.node)
        #expect(code { _ = try EventLog.open(on: disk, identity: unknown, options: small) } == .wrongIdentity)
        _ = try Self.carryOn(disk)
    }
}
