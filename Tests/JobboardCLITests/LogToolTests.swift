import Consensus
import EventLog
import Testing

@testable import JobboardCLI

/// `log verify` and `log diff` over folders in memory.
@Suite struct LogToolTests {
    private static let identity = LogIdentity(cluster: "tools", node: 1)

    private static func entries(after start: EntrySummary = .beforeFirst, _ count: Int, term: Term = 1) -> [Entry] {
        var last = start
        return (0..<count).map { place in
            let draft = EntryDraft(
                kind: .commands, term: term, index: last.index + 1, time: 5, firstCommand: last.nextCommand, commandCount: 1,
                parent: last.digest, payload: [UInt8(place), UInt8(term)])
            let entry = BlockCodec.seal(draft, cluster: BlockCodec.clusterTag(identity.cluster))
            last = entry.summary
            return entry
        }
    }

    private static func folder(_ batches: [[Entry]], node: UInt64 = 1, commit: LogIndex = 0) throws -> (SimulatedDisk, EventLog) {
        let disk = SimulatedDisk()
        let owner = LogIdentity(cluster: identity.cluster, node: node)
        let log = try EventLog.open(on: disk, identity: owner, options: EventLogOptions(segmentBytes: 64 << 10)).0
        for batch in batches {
            try log.append([LogWrite(number: 1, hardState: nil, truncateFrom: nil, entries: batch, commit: commit)])
        }
        return (disk, log)
    }

    private static func report(_ disk: SimulatedDisk) throws -> LogReport {
        try EventLog.scan(disk) { _ in false }
    }

    @Test func aWholeLogIsSaidToBeWholeAndHowMuchWasChecked() throws {
        let entries = Self.entries(5)
        let disk = try Self.folder([Array(entries[..<3]), Array(entries[3...])], commit: 3).0
        let check = try LogCheck(disk: disk)
        #expect(check.isWhole)
        #expect(
            check.lines == [
                "node 1 of cluster tools: checked 6 frames in 1 segment, 5 entries (570 B); last entry 5, committed through 3",
                "nothing is missing",
            ])
    }

    @Test func aFolderWithoutALogIsCalledThat() {
        #expect(
            throws: EventLogError(.damaged, "there is neither a superblock nor a segment: no data folder, or its log is gone")
        ) { try LogCheck(disk: SimulatedDisk()) }
    }

    @Test func rotIsListedWithWhatIsMissingAndARepairEndsIt() throws {
        let entries = Self.entries(5)
        let disk = try Self.folder([Array(entries[..<3]), Array(entries[3...])]).0
        disk.flipBit(0, ofByte: 4096 + 170 + 60, in: "segment-00000001")
        let check = try LogCheck(disk: disk)
        #expect(!check.isWhole && check.entries == 4)
        #expect(
            check.lines.dropFirst() == [
                "missing: entry 2", "rot: segment-00000001: 1 frame behind offset 4266 can't be read", "DAMAGED",
            ])
        let log = try EventLog.open(on: disk, identity: Self.identity).0
        #expect(try log.repair(with: [entries[1]]) == [2])
        let again = try LogCheck(disk: disk)
        #expect(again.isWhole && again.entries == 5)
        #expect(again.lines.first?.contains("1 repaired block in 1 patch;") == true)
        #expect(again.lines.contains { $0.hasPrefix("rot: segment-00000001") } && again.lines.last == "nothing is missing")
    }

    @Test func aRottenSnapshotIsListed() throws {
        let entries = Self.entries(4)
        let disk = try Self.folder([entries]).0
        let store = SnapshotStore(
            on: disk, cluster: BlockCodec.clusterTag(Self.identity.cluster), chunkBytes: SnapshotContents.usualChunkBytes)
        let writer = try store.write(upTo: entries[2].summary)
        try writer.add(Array("boards".utf8))
        _ = try writer.finish()
        let whole = try LogCheck(disk: disk)
        #expect(whole.isWhole && whole.lines.contains { $0.hasPrefix("snapshot up to entry 3: 1 chunk") }, "\(whole.lines)")
        disk.flipBit(0, ofByte: 2, in: "snapshot-00000003")
        let rotten = try LogCheck(disk: disk)
        #expect(!rotten.isWhole && rotten.lines.last == "DAMAGED")
        #expect(rotten.lines.contains { $0.hasPrefix("damaged: snapshot-00000003: chunk 0") }, "\(rotten.lines)")
    }

    @Test func aRottenCopyOfTheSuperblockIsListed() throws {
        let disk = try Self.folder([Self.entries(2)]).0
        disk.flipBit(0, ofByte: 4096, in: "superblock")
        let check = try LogCheck(disk: disk)
        #expect(check.isWhole && check.lines.contains("rot: a copy of the superblock can't be read"))
    }

    @Test func logsThatAreEqualSayWhoHasMore() throws {
        let entries = Self.entries(6)
        let one = try Self.report(Self.folder([entries]).0)
        let other = try Self.report(Self.folder([Array(entries[..<4])], node: 2).0)
        let difference = try LogDifference(one, other, names: ("a", "b"))
        #expect(difference.parting == nil && difference.lines == ["equal up to entry 4; a has 2 more"])
        let back = try LogDifference(other, one, names: ("b", "a"))
        #expect(back.lines == ["equal up to entry 4; a has 2 more"])
        #expect(try LogDifference(one, one, names: ("a", "a")).lines == ["equal up to entry 6; neither has more"])
    }

    @Test func theFirstEntryWhereLogsPartIsNamed() throws {
        let entries = Self.entries(6)
        let branch = Self.entries(after: entries[2].summary, 2, term: 2)
        let one = try Self.report(Self.folder([entries], commit: 3).0)
        let other = try Self.report(Self.folder([Array(entries[..<3]) + branch], node: 2, commit: 5).0)
        let difference = try LogDifference(one, other, names: ("a", "b"))
        #expect(difference.parting == 4)
        #expect(
            difference.lines == [
                "the logs part at entry 4, equal up to entry 3",
                "  a: term 1, digest \(entries[3].digest), not known to be committed",
                "  b: term 2, digest \(branch[0].digest), committed",
            ])
    }

    @Test func whatALogLacksIsNotCompared() throws {
        let entries = Self.entries(5)
        let (disk, log) = try Self.folder([entries])
        try log.markDurable()
        disk.flipBit(0, ofByte: 4096 + 170 + 60, in: "segment-00000001")
        let whole = try Self.report(Self.folder([entries], node: 2).0)
        let difference = try LogDifference(Self.report(disk), whole, names: ("a", "b"))
        #expect(
            difference.lines == ["equal up to entry 5; neither has more", "1 entries could not be compared: a log lacks them"])
    }

    @Test func anotherClustersLogIsRefused() throws {
        let disk = SimulatedDisk()
        _ = try EventLog.open(on: disk, identity: LogIdentity(cluster: "elsewhere", node: 1))
        let (one, other) = (try Self.report(Self.folder([]).0), try Self.report(disk))
        #expect(throws: CommandFailure.self) { try LogDifference(one, other, names: ("a", "b")) }
    }
}
