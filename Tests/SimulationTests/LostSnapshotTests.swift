import Consensus
import EventLog
import Jobboard
import NodeEngine
import Testing
import WireFormat

/// A leader's only snapshot has rotted, and nobody else has it.
@Suite struct LostSnapshotTests {
    private static let peers = [NodeID(2), NodeID(3)]
    private static let tag = BlockCodec.clusterTag("three")

    private var engine: Engine
    private let snapshot: SnapshotReference
    private var time: UInt64 = 0

    init() throws {
        let entry = BlockCodec.seal(
            EntryDraft(
                kind: .snapshotMark, term: 1, index: 1, time: 1_700_000_000_000, firstCommand: 0, commandCount: 0,
                parent: EntrySummary.beforeFirst.digest, payload: []), cluster: Self.tag)
        let settings = EngineSettings(cluster: "three", clientAddresses: [:])
        let opener = Opener { try? BlockCodec.payload(of: $0) }
        var state = AppliedState(limits: settings.limits, rememberedEvents: settings.rememberedEvents)
        _ = try state.replay(entry, opener: opener)
        snapshot = SnapshotReference(last: entry.summary, digest: Digest(high: 1, low: 0))
        engine = try Engine.recover(
            id: NodeID(1), voters: [NodeID(1)] + Self.peers, settings: settings,
            log: RecoveredLog(hardState: HardState(term: 1, vote: nil), commit: 1, entries: [entry.summary]),
            snapshot: RecoveredSnapshot(snapshot: snapshot, state: state, storedBytes: 100),
            sealer: Sealer { BlockCodec.seal($0, cluster: Self.tag) }, opener: opener, seed: 1,
            now: Moment(monotonic: 0, wall: 1_700_000_000_000)
        ) { _, _ in [entry] }
    }

    /// One turn, and those that its writes bring about: they are durable at once.
    private mutating func step(_ inputs: EngineInput..., after milliseconds: UInt64 = 0) -> [EngineEffect] {
        time += milliseconds
        var all: [EngineEffect] = []
        var next = inputs
        while !next.isEmpty {
            var effects: [EngineEffect] = []
            engine.step(next, at: Moment(monotonic: time, wall: 1_700_000_000_000 + time), into: &effects)
            next = effects.compactMap { if case .persist(let write) = $0 { .persisted(upTo: write.number) } else { nil } }
            all += effects
        }
        return all
    }

    private func from(_ peer: NodeID, _ message: Message) -> EngineInput {
        .peer(PeerFrame(from: peer, hearsDatagrams: false, message: message), via: .stream)
    }

    /// Node 2 has all of the log on its disk.
    private var agreed: EngineInput {
        from(NodeID(2), .appendReply(AppendReply(term: 2, result: .durable(engine.replica.log.lastIndex))))
    }

    private mutating func lead() {
        _ = step(.tick, after: 2000)
        _ = step(from(NodeID(2), .preVoteReply(PreVoteReply(term: 1, askedTerm: 2, granted: true))))
        _ = step(from(NodeID(2), .voteReply(VoteReply(term: 2, granted: true, wall: 1_700_000_000_000 + time))))
        _ = step(agreed)
    }

    private func marks(_ effects: [EngineEffect]) -> Int {
        effects.reduce(0) { count, effect in
            guard case .persist(let write) = effect else { return count }
            return count + write.entries.count { $0.kind == .snapshotMark }
        }
    }

    private func isLost(_ effects: [EngineEffect]) -> Bool {
        effects.contains { if case .notice(.snapshotLost(1)) = $0 { true } else { false } }
    }

    private func asked(_ effects: [EngineEffect]) -> NodeID? {
        for case .transfer(let peer, .askContents(snapshot)) in effects { return peer }
        return nil
    }

    /// Rot is found; all peers refuse until they are asked no more.
    private mutating func loseSnapshot() -> [EngineEffect] {
        var effects = step(.snapshotRotted(1, snapshot))
        var all = effects
        while let peer = asked(effects) {
            effects = step(.transfer(from: peer, .noSnapshot(snapshot)))
            all += effects
        }
        return all
    }

    @Test mutating func aLeaderLogsOneMark() throws {
        lead()
        #expect(engine.replica.isLeader && engine.replica.commit == 2)
        #expect(marks(step(.tick, after: 10)) == 0)
        let lost = loseSnapshot()
        #expect(isLost(lost))
        let marked = step(.tick, after: 10)
        #expect(marks(marked) == 1)
        let committed = step(agreed)
        #expect(committed.contains { if case .takeSnapshot(_, let last) = $0 { last.index == 3 } else { false } })
        // The disk takes none, and peers go on asking for the old one.
        var effects = step(.snapshotTaken(nil, storedBytes: 0))
        for _ in 0..<49 {
            effects += step(.tick, .snapshotRotted(1, snapshot), agreed, after: 100)
        }
        #expect(engine.replica.isLeader)
        #expect(asked(effects) == nil && marks(effects) == 0, "there is a pause")
        effects = step(.tick, agreed, after: 100) + loseSnapshot() + step(.tick, after: 10)
        #expect(asked(effects) != nil && marks(effects) == 1)
    }

    @Test mutating func whoFollowsLogsNone() {
        let lost = loseSnapshot()
        #expect(isLost(lost))
        #expect(marks(step(.tick, after: 10)) == 0)
        lead()
        #expect(marks(step(.tick, after: 10)) == 1, "it would offer that snapshot now")
    }

    @Test mutating func aFailureOfOurOwnDiskIsNoLoss() throws {
        lead()
        #expect(asked(step(.snapshotRotted(1, snapshot))) == NodeID(2))
        #expect(!isLost(step(.snapshotFailed(snapshot))))
        #expect(marks(step(.tick, agreed, after: 100)) == 0)
        #expect(asked(step(.snapshotRotted(1, snapshot))) == nil, "there is a pause")
        #expect(asked(step(.snapshotRotted(1, snapshot), agreed, after: 5000)) == NodeID(2))
    }
}
