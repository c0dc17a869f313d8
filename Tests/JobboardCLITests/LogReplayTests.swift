import Consensus
import EventLog
import Jobboard
import NodeEngine
import NodeStorage
import Testing
import WireFormat

@testable import JobboardCLI

/// `log dump` and its like over a folder whose log was compacted.
@Suite struct LogReplayTests {
    private static let identity = LogIdentity(cluster: "replay", node: 1)
    private static let count: LogIndex = 40
    /// The entries that there are snapshots up to. The log has several segments below the first one.
    private static let snapshots: [LogIndex] = [24, 32]

    private let disk = SimulatedDisk()
    private let log: EventLog
    /// By entry; the first one opens a session, and each other one posts a large job.
    private var events: [LogIndex: [Event]] = [:]

    init() throws {
        log = try EventLog.open(on: disk, identity: Self.identity, options: EventLogOptions(segmentBytes: 64 << 10)).0
        let desk = SnapshotDesk(on: disk, settings: EngineSettings(cluster: Self.identity.cluster, clientAddresses: [:]))
        var state = AppliedState()
        var random = SplitMix64(seed: 1)
        var last = EntrySummary.beforeFirst
        var session: UInt64 = 0
        for index in 1...Self.count {
            let job = NewJob(id: JobID(high: 0, low: index), name: "large", details: Self.details(&random))
            let call = SessionCommand(
                session: session, sequence: index, acknowledgedBelow: index,
                command: index == 1
                    ? .openSession(SessionKey(high: 1, low: 1), ttlMilliseconds: 60_000) : .post(board: "b", jobs: [job]))
            let entry = BlockCodec.seal(
                EntryDraft(
                    kind: .commands, term: 1, index: index, time: 5, firstCommand: last.nextCommand, commandCount: 1,
                    parent: last.digest, payload: CommandCodec.encode([call])),
                cluster: BlockCodec.clusterTag(Self.identity.cluster))
            last = entry.summary
            events[index] = state.apply(entry, count: 1, call: { _ in call }) { _, outcome in
                if case .sessionOpened(let opened) = outcome { session = opened }
            }
            try log.append([LogWrite(number: index, hardState: nil, truncateFrom: nil, entries: [entry], commit: index)])
            if Self.snapshots.contains(index) { _ = try desk.write(state, upTo: last) }
        }
    }

    private static func details(_ random: inout SplitMix64) -> [UInt8] {
        let digits = (0..<4000).map { _ in UInt8(ascii: "a") + UInt8(random.below(26)) }
        return [UInt8(ascii: "\"")] + digits + [UInt8(ascii: "\"")]
    }

    private func spoil(_ snapshot: LogIndex) throws {
        let name = try #require(try disk.list().first { $0.hasPrefix("snapshot-") && $0.hasSuffix("\(snapshot)") })
        disk.flipBit(3, ofByte: 5000, in: name)
    }

    /// Replays all of the folder: what there is, by entry.
    private func replay(through last: LogIndex = Self.count) throws -> (LogReplay.Summary, [LogIndex: [Event]]) {
        var found: [LogIndex: [Event]] = [:]
        let summary = try LogReplay(disk: disk).replay(through: last) { found[$0] = $1 }
        return (summary, found)
    }

    @Test func aLogThatBeginsAtTheFirstEntryIsReplayedFromThere() throws {
        let (summary, found) = try replay()
        #expect(found == events)
        #expect(summary.startEntry == 0 && summary.startPosition == 0 && summary.events == Self.count - 1)
        #expect(summary.lines.count == 1)
    }

    @Test func aCompactedLogIsReplayedFromItsOldestSnapshot() throws {
        try log.release(through: 24)
        #expect(log.base.index > 0 && log.base.index <= 24)
        let (summary, found) = try replay(through: 38)
        #expect(found == events.filter { (25...38).contains($0.key) })
        #expect(summary.startEntry == 24 && summary.startPosition == 23 && summary.events == 14)
        #expect(summary.lines.dropFirst().first?.hasPrefix("begins behind the snapshot of entry 24") == true)
    }

    @Test func aSpoiledSnapshotIsPassedOver() throws {
        try log.release(through: 24)
        try spoil(24)
        let (summary, found) = try replay()
        #expect(found == events.filter { $0.key > 32 })
        #expect(summary.startEntry == 32 && summary.startPosition == 31)
    }

    @Test func withoutASnapshotACompactedLogCannotBeReplayed() throws {
        try log.release(through: 24)
        for snapshot in Self.snapshots { try spoil(snapshot) }
        #expect { try LogReplay(disk: disk) } throws: { error in
            "\(error)".contains("the log begins behind entry \(log.base.index)")
        }
    }
}
