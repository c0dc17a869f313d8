import Consensus
import EventLog
import Jobboard
import NodeEngine
import NodeStorage
import Testing
import WireFormat

/// A node of which nothing is left that tells where its log began, in a cluster that has no snapshot yet: its first segment had
/// been lost and made good from its peers, then both copies of the superblock went.
@Suite struct ReachingBackTests {
    private static let peers = [NodeID(2), NodeID(3)]
    private static let tag = BlockCodec.clusterTag("three")
    private static let options = EventLogOptions(segmentBytes: 16 << 10)

    private let disk = SimulatedDisk()
    private var entries: [Entry] = []

    init() throws {
        let log = try EventLog.open(on: disk, identity: LogIdentity(cluster: "three", node: 1), options: Self.options).0
        for _ in 0..<8 {
            let last = entries.last?.summary ?? .beforeFirst
            let next = BlockCodec.seal(
                EntryDraft(
                    kind: .termStart, term: 1, index: last.index + 1, time: last.time + 1, firstCommand: last.nextCommand,
                    commandCount: 0, parent: last.digest, payload: []), cluster: Self.tag)
            let vote = entries.isEmpty ? HardState(term: 1, vote: nil) : nil
            try log.append([LogWrite(number: 1, hardState: vote, truncateFrom: nil, entries: [next], commit: last.index)])
            entries.append(next)
        }
        log.close()
        try disk.remove("segment-00000001")
        try disk.syncFolder()
    }

    /// Both copies are zeros.
    private func wipeSuperblock() throws {
        let file = try disk.open("superblock", create: false)
        defer { disk.close(file) }
        try [UInt8](repeating: 0, count: 8192).withUnsafeBytes { try disk.write(file, at: 0, $0) }
        try disk.sync(file)
    }

    private func start() throws -> NodeRecovery.Found {
        try NodeRecovery.open(
            on: disk, node: NodeID(1), voters: [NodeID(1)] + Self.peers,
            settings: EngineSettings(cluster: "three", clientAddresses: [:]), options: Self.options, seed: 1,
            now: Moment(monotonic: 0, wall: 1_700_000_000_000))
    }

    private func repair() throws -> NodeRepair {
        guard case .damaged(let repair) = try start() else { throw EventLogError(.damaged, "nothing is missing") }
        return repair
    }

    /// What a node that lacks nothing finds.
    private func whole() throws -> EventLog.Recovery {
        guard case .whole(let node) = try start() else { throw EventLogError(.damaged, "something is missing") }
        node.log.close()
        return node.recovery
    }

    /// Peers that hold the whole log answer until the node has no more questions of that kind.
    private func answer(_ repair: NodeRepair) throws {
        var asked: [Transfer] = []
        try repair.tick(now: 1000) { asked.append($1) }
        while let question = asked.popLast(), !repair.isDone {
            guard case .askBlock(let index, let digest) = question else { continue }
            let entry = entries[Int(index) - 1]
            #expect(entry.digest == digest)
            let block = Transfer.block(index: index, digest: digest, bytes: entry.block)
            try repair.receive(block, from: NodeID(2), now: 1000) { asked.append($1) }
        }
    }

    @Test func whereNobodyHasASnapshotTheBlocksAreFetched() throws {
        try wipeSuperblock()
        let first = try repair()
        #expect(first.missingCount == 0 && first.reason.hasSuffix("no snapshot reaches there"))
        try first.receive(.noSnapshot(nil), from: NodeID(2), now: 0) { _, _ in }
        #expect(!first.isDone, "the other peer may have one")
        try first.receive(.noSnapshot(nil), from: NodeID(3), now: 0) { _, _ in }
        #expect(first.isDone)
        first.close()

        let second = try repair()
        #expect(second.missingCount > 0)
        try answer(second)
        #expect(second.isDone)
        second.close()

        let found = try whole()
        #expect(found.base == .beforeFirst && found.entries == entries.map(\.summary))
    }

    /// What was made good once, and lies in a patch, is found there.
    @Test func whatIsInPatchesIsNotFetchedAgain() throws {
        let healing = try repair()
        try answer(healing)
        #expect(healing.isDone)
        healing.close()
        _ = try whole()

        try wipeSuperblock()
        let first = try repair()
        for peer in Self.peers { try first.receive(.noSnapshot(nil), from: peer, now: 0) { _, _ in } }
        #expect(first.isDone)
        first.close()
        #expect(try whole().entries == entries.map(\.summary))
    }

    /// One peer has compacted a block, the other one is down: what the first one has instead will do.
    @Test func aSnapshotIsAskedForWhenWhoeverMayHaveTheBlockIsSilent() throws {
        let repair = try repair()
        var asked: [Transfer] = []
        try repair.tick(now: 1000) { asked.append($1) }
        let question = try #require(asked.first)
        guard case .askBlock(let index, let digest) = question else { throw EventLogError(.damaged, "\(question)") }
        for (moment, isAskedFor) in [(1000, false), (2900, false), (4000, true)] as [(UInt64, Bool)] {
            try repair.receive(.noBlock(index: index, digest: digest, neverHad: false), from: NodeID(2), now: moment) { _, _ in }
            asked = []
            try repair.tick(now: moment) { asked.append($1) }
            #expect(asked.contains(.askContents(nil)) == isAskedFor, "at \(moment) ms")
        }
        repair.close()
    }
}
