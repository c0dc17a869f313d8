import Consensus
import EventLog
import Jobboard
import NodeEngine

/// Snapshots to fuzz from.
package enum SnapshotMaker {
    static let rememberedEvents = 300

    /// A state with jobs of every kind, a session that is remembered, and events.
    package static let state: [UInt8] = {
        var state = AppliedState(rememberedEvents: rememberedEvents)
        for (place, block) in blocks.enumerated() {
            let entry = Entry(
                kind: .commands, term: 1, index: state.index + 1, time: 1000 + UInt64(place), firstCommand: 0,
                commandCount: UInt32(block.count), parent: .zero, digest: .zero, block: [])
            _ = state.apply(entry, count: block.count, call: { block[$0] }) { _, _ in }
        }
        return bytes(state)
    }()

    /// A file with that state up to entry 4, cut into small chunks; some are compressed.
    package static let file: [UInt8] = {
        let disk = SimulatedDisk()
        let last = EntrySummary(
            kind: .commands, term: 1, index: 4, time: 1003, nextCommand: 9, digest: Digest(high: 1, low: 2), byteCount: 200)
        do {
            let writer = try SnapshotWriter(
                on: disk, cluster: BlockCodec.clusterTag(Digests.cluster), last: last, chunkBytes: 256)
            try writer.add(state)
            _ = try writer.finish()
        } catch {
            preconditionFailure("\(error)")
        }
        return disk.contents(SnapshotSealer.name(4)) ?? []
    }()

    static func bytes(_ state: AppliedState) -> [UInt8] {
        var encoder = SnapshotEncoder(state)
        var all: [UInt8] = []
        while let piece = encoder.next() { all += piece }
        return all
    }

    /// What any state must stand.
    static let calls = [
        SessionCommand(
            session: 0, sequence: 0, acknowledgedBelow: 0,
            command: .openSession(SessionKey(high: 1, low: 1), ttlMilliseconds: 60_000)),
        call(100, .post(board: "b", jobs: [NewJob(id: id(50), name: "n")])),
        call(101, .claimNext(ClaimNext(board: "b", who: "w", count: 3))),
        call(102, .consume(Holder(job: id(50), who: "w"), result: nil, followUps: [NewJob(id: id(51), name: "n")])),
    ]

    private static func id(_ number: UInt64) -> JobID {
        JobID(high: 0x0011_2233_4455_4677, low: 0x8899_aabb_ccdd_0000 + number)
    }

    private static func call(_ sequence: UInt64, _ command: Command) -> SessionCommand {
        SessionCommand(session: 1, sequence: sequence, acknowledgedBelow: 1, command: command)
    }

    private static let blocks: [[SessionCommand]] = {
        var full = NewJob(id: id(1), name: "full", details: Array("{\"a\":[1,2]}".utf8), priority: .high)
        full.book = Book(uuid: id(2), name: "book")
        full.key = "key"
        full.expiresAfterMilliseconds = 90_000
        full.leaseMilliseconds = 30_000
        full.maxFailures = 3
        var later = NewJob(id: id(3), name: "later")
        later.delayMilliseconds = 60_000
        let plain = (4...6).map { NewJob(id: id($0), name: "plain") }
        return [
            [calls[0]],
            [
                call(1, .post(board: "b", jobs: [full, later] + plain)),
                call(2, .post(board: "c", jobs: [NewJob(id: id(7), name: "n")])),
            ],
            [call(3, .claimNext(ClaimNext(board: "b", who: "w", count: 3)))],
            [
                call(4, .consume(Holder(job: id(4), who: "w"), result: Array("[]".utf8), followUps: [])),
                call(5, .abandon(Holder(job: id(1), who: "w"), delayMilliseconds: 500, failure: "why")),
                call(6, .claim(job: id(99), who: "w", leaseMilliseconds: nil)),
            ],
        ]
    }()
}
