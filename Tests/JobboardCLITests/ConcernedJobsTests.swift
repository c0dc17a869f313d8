import Consensus
import EventLog
import Jobboard
import NodeStorage
import Testing
import WireFormat

@testable import JobboardCLI

/// What a log with a hole says of the jobs that it may concern.
@Suite struct ConcernedJobsTests {
    private static let identity = LogIdentity(cluster: "tools", node: 1)
    private static let ids = (0..<4).map { JobID(high: 0x0011_2233_4455_4677, low: 0x8899_aabb_ccdd_0000 + $0) }

    /// An entry each, at 1 s, 2 s and so on of log time.
    private static func folder(_ entries: [[Command]]) throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let log = try EventLog.open(on: disk, identity: identity, options: EventLogOptions(segmentBytes: 64 << 10)).0
        var (last, sequence) = (EntrySummary.beforeFirst, UInt64(0))
        for commands in entries {
            let calls = commands.map { command in
                if case .openSession = command {
                    return SessionCommand(session: 0, sequence: 0, acknowledgedBelow: 0, command: command)
                }
                sequence += 1
                return SessionCommand(session: 1, sequence: sequence, acknowledgedBelow: 1, command: command)
            }
            let draft = EntryDraft(
                kind: .commands, term: 1, index: last.index + 1, time: 1000 * (last.index + 1), firstCommand: last.nextCommand,
                commandCount: UInt32(commands.count), parent: last.digest, payload: CommandCodec.encode(calls))
            let entry = BlockCodec.seal(draft, cluster: BlockCodec.clusterTag(identity.cluster))
            // A frame a page.
            try log.append([LogWrite(number: 1, hardState: nil, truncateFrom: nil, entries: [entry], commit: last.index)])
            last = entry.summary
        }
        try log.markDurable()
        log.close()
        return disk
    }

    private static func concerned(_ disk: SimulatedDisk) throws -> ConcernedJobs? {
        try ConcernedJobs(of: EventLog.scan(disk) { _ in false }, on: disk)
    }

    private static func rot(_ entry: LogIndex, on disk: SimulatedDisk) {
        disk.flipBit(0, ofByte: 4096 * entry + 100, in: "segment-00000001")
    }

    private static let life: [[Command]] = [
        [
            .openSession(SessionKey(high: 1, low: 1), ttlMilliseconds: 60_000),
            .post(board: "b", jobs: [NewJob(id: ids[0], name: "n")]),
        ],
        [.post(board: "b", jobs: [NewJob(id: ids[1], name: "n"), NewJob(id: ids[2], name: "n")])],
        [.post(board: "b", jobs: [NewJob(id: ids[3], name: "n")])],
        [
            .claim(job: ids[0], who: "w", leaseMilliseconds: nil), .claim(job: ids[2], who: "w", leaseMilliseconds: nil),
            .claim(job: ids[3], who: "w", leaseMilliseconds: nil),
        ],
    ]

    @Test func jobsThatWereOpenAndJobsThatAreNamedLaterAreTold() throws {
        let disk = try Self.folder(Self.life)
        Self.rot(2, on: disk)
        let concerned = try #require(try Self.concerned(disk))
        #expect(concerned.open == 1 && concerned.posted == [Self.ids[2]])
        #expect(
            concerned.description
                == "what was done between 1970-01-01T00:00:01.000Z and 1970-01-01T00:00:03.000Z is missing and may concern the job "
                + "that was on the boards and any posted since, such as \(Self.ids[2])")
    }

    @Test func nothingBehindTheHoleMeansNoEnd() throws {
        let disk = try Self.folder(Self.life)
        for entry: LogIndex in 3...4 { Self.rot(entry, on: disk) }
        let concerned = try #require(try Self.concerned(disk))
        #expect(concerned.open == 3 && concerned.posted.isEmpty && concerned.before == nil)
        #expect(concerned.description.hasPrefix("what was done after 1970-01-01T00:00:02.000Z is missing"))
    }

    @Test func aWholeLogConcernsNobody() throws {
        #expect(try Self.concerned(Self.folder(Self.life)) == nil)
    }

    @Test func verifyPrintsThem() throws {
        let disk = try Self.folder(Self.life)
        Self.rot(2, on: disk)
        #expect(try LogCheck(disk: disk).lines.contains { $0.hasPrefix("concerned: what was done between") })
    }
}
