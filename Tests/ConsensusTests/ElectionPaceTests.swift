import Testing

@testable import Consensus

@Suite struct ElectionPaceTests {
    /// A simulated cluster of five whose messages took 40 ms and whose syncs took 40 ms never elected a leader: each try
    /// was given up sooner than the one before.
    @Test func whoHearsNothingAsksLessAndLessOften() {
        var replica = Replica(
            id: NodeID(1), configuration: Configuration(voters: [NodeID(1), NodeID(2), NodeID(3)]), sealer: .toy, seed: 7,
            now: Moment(monotonic: 0, wall: 0))
        var asked: [UInt64] = []
        for time in 0...20_000 as ClosedRange<UInt64> {
            var outputs: [ReplicaOutput] = []
            replica.step(.tick, at: Moment(monotonic: time, wall: time), into: &outputs)
            if outputs.contains(where: { if case .send(_, .preVote) = $0 { true } else { false } }) { asked.append(time) }
        }
        let waits = zip(asked, asked.dropFirst()).map { $1 - $0 }
        #expect(waits.count > 10)
        #expect(waits[0] >= 125 && waits[0] < 250, "the second try comes soon")
        #expect(waits.dropFirst(3).allSatisfy { $0 >= 500 && $0 < 1000 }, "later ones leave time for slow disks and links")
    }
}
