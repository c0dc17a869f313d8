import Testing

@testable import Consensus

/// The stamps of a leader that is alone, whose wall clock is set by hand.
@Suite struct LogTimeTests {
    private struct Node {
        var replica: Replica
        var monotonic: UInt64

        init(wall: UInt64, log: ReplicaLog = ReplicaLog(), monotonic: UInt64 = 1000) {
            self.monotonic = monotonic
            replica = Replica(
                id: NodeID(1), configuration: Configuration(voters: [NodeID(1)]), sealer: .toy,
                hardState: HardState(term: log.lastTerm, vote: nil), log: log, seed: 1,
                now: Moment(monotonic: monotonic, wall: wall))
            pass(1, wall: wall)
            pass(1, wall: wall)
        }

        /// Time passes, and everything that was ordered from the disk is done.
        mutating func pass(_ milliseconds: UInt64, wall: UInt64) {
            monotonic += milliseconds
            step(.tick, wall: wall)
        }

        mutating func propose(wall: UInt64) -> UInt64 {
            step(.propose(kind: .tick, payload: [], commandCount: 0), wall: wall)
            return replica.log.lastTime
        }

        private mutating func step(_ input: ReplicaInput, wall: UInt64) {
            var outputs: [ReplicaOutput] = []
            replica.step(input, at: Moment(monotonic: monotonic, wall: wall), into: &outputs)
            for case .persist(let write) in outputs {
                var more: [ReplicaOutput] = []
                replica.step(.persisted(upTo: write.number), at: Moment(monotonic: monotonic, wall: wall), into: &more)
                for case .persist(let next) in more {
                    replica.step(.persisted(upTo: next.number), at: Moment(monotonic: monotonic, wall: wall), into: &more)
                }
            }
        }
    }

    private static let hour: UInt64 = 3_600_000

    @Test func `a clock that was an hour ahead and is set right does not stop log time`() {
        var node = Node(wall: 10 * Self.hour)
        #expect(node.replica.isLeader)
        let before = node.propose(wall: 10 * Self.hour + 2)
        node.pass(10_000, wall: 9 * Self.hour)
        let after = node.propose(wall: 9 * Self.hour)
        #expect(after == before + 9000)
    }

    @Test func `after a restart with the right clock log time goes on from the last entry`() {
        var first = Node(wall: 10 * Self.hour)
        let before = first.propose(wall: 10 * Self.hour)
        var second = Node(
            wall: 9 * Self.hour, log: ReplicaLog(summaries: first.replica.log.summaries), monotonic: 77)
        let opened = second.monotonic - 2
        second.pass(20_000, wall: 9 * Self.hour)
        let after = second.propose(wall: 9 * Self.hour)
        #expect(after > before && after <= before + (second.monotonic - opened) * 9 / 10 + 1)
    }

    @Test func `a clock that leaps an hour ahead ends no lease early`() {
        var node = Node(wall: 10 * Self.hour)
        let before = node.propose(wall: 10 * Self.hour + 2)
        node.pass(10_000, wall: 11 * Self.hour)
        let after = node.propose(wall: 11 * Self.hour)
        #expect(after > before && after <= before + 12_502)
    }
}
