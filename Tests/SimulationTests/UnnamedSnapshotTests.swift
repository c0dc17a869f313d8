import Consensus
import EventLog
import Jobboard
import NodeEngine
import Testing
import WireFormat

/// A node whose snapshot has rotted so far that its name is gone.
@Suite struct UnnamedSnapshotTests {
    private static let peers = [NodeID(2), NodeID(3)]

    private static func name(_ last: EntrySummary, _ number: UInt64) -> SnapshotReference {
        SnapshotReference(last: last, digest: Digest(high: number, low: 0))
    }

    private struct Voter {
        var engine: Engine
        var time: UInt64 = 1000
        let last: EntrySummary

        init() throws {
            let tag = BlockCodec.clusterTag("three")
            let entry = BlockCodec.seal(
                EntryDraft(
                    kind: .snapshotMark, term: 1, index: 1, time: 1_700_000_000_000, firstCommand: 0, commandCount: 0,
                    parent: EntrySummary.beforeFirst.digest, payload: []), cluster: tag)
            last = entry.summary
            engine = try Engine.recover(
                id: NodeID(1), voters: [NodeID(1)] + UnnamedSnapshotTests.peers,
                settings: EngineSettings(cluster: "three", clientAddresses: [:]),
                log: RecoveredLog(hardState: HardState(term: 1, vote: nil), commit: 1, entries: [entry.summary]),
                sealer: Sealer { BlockCodec.seal($0, cluster: tag) }, opener: Opener { try? BlockCodec.payload(of: $0) }, seed: 1,
                now: Moment(monotonic: 0, wall: 1_700_000_000_000)
            ) { _, _ in [entry] }
        }

        /// The questions about snapshots that come out.
        mutating func step(_ inputs: EngineInput..., after milliseconds: UInt64 = 0) -> [(NodeID, Transfer)] {
            time += milliseconds
            var effects: [EngineEffect] = []
            engine.step(inputs, at: Moment(monotonic: time, wall: 1_700_000_000_000 + time), into: &effects)
            return effects.compactMap { if case .transfer(let peer, let transfer) = $0 { (peer, transfer) } else { nil } }
        }
    }

    private static func isQuestion(_ asked: [(NodeID, Transfer)], _ transfer: Transfer) -> Bool {
        asked.map(\.0) == peers && asked.allSatisfy { $0.1 == transfer }
    }

    @Test func allAreAskedUntilTwoSayTheSame() throws {
        var voter = try Voter()
        let (ours, parted) = (Self.name(voter.last, 1), Self.name(voter.last, 2))
        let first = voter.step(.snapshotRotted(1, nil))
        #expect(Self.isQuestion(first, .askContentsAt(1)))
        #expect(voter.step(.transfer(from: NodeID(2), .contents(ours, table: []))).isEmpty, "one word is not enough")
        #expect(voter.step(.transfer(from: NodeID(3), .contents(parted, table: []))).isEmpty, "they differ")
        #expect(voter.step(.tick, after: 10).isEmpty)
        let again = voter.step(.tick, after: 1000)
        #expect(Self.isQuestion(again, .askContentsAt(1)))
        let fetch = voter.step(.transfer(from: NodeID(3), .contents(ours, table: [])))
        #expect(fetch.count == 1 && fetch.first?.1 == .askContents(ours))
    }

    @Test func oneNameIsEnoughWhenAllHaveAnswered() throws {
        var voter = try Voter()
        let ours = Self.name(voter.last, 1)
        _ = voter.step(.snapshotRotted(1, nil))
        #expect(voter.step(.transfer(from: NodeID(2), .noSnapshot(nil))).isEmpty)
        let fetch = voter.step(.transfer(from: NodeID(3), .contents(ours, table: [])))
        #expect(fetch.map(\.0) == [NodeID(3)] && fetch.first?.1 == .askContents(ours))
    }

    @Test func aSnapshotOfAnotherHistoryIsNoAnswer() throws {
        var voter = try Voter()
        let other = BlockCodec.seal(
            EntryDraft(
                kind: .snapshotMark, term: 1, index: 1, time: 1, firstCommand: 0, commandCount: 0,
                parent: EntrySummary.beforeFirst.digest, payload: []), cluster: BlockCodec.clusterTag("three"))
        _ = voter.step(.snapshotRotted(1, nil))
        #expect(voter.step(.transfer(from: NodeID(2), .noSnapshot(nil))).isEmpty)
        #expect(voter.step(.transfer(from: NodeID(3), .contents(Self.name(other.summary, 1), table: []))).isEmpty)
    }

    @Test func ofFiveNodesThreeOutvoteOne() {
        let last = EntrySummary.beforeFirst
        let peers = (2...5).map { NodeID(UInt64($0)) }
        var unnamed = UnnamedSnapshot(last.index)
        unnamed.answered(NodeID(2), Self.name(last, 2))
        for peer in [3, 4] as [UInt64] { unnamed.answered(NodeID(peer), Self.name(last, 1)) }
        #expect(unnamed.name(among: peers) == nil)
        unnamed.answered(NodeID(5), Self.name(last, 1))
        #expect(unnamed.name(among: peers)?.0 == Self.name(last, 1) && unnamed.name(among: peers)?.giver == NodeID(3))
    }
}
