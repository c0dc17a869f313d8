import Consensus
import NodeEngine

extension SimulatedCluster {
    /// What a leader stamps is not later than the clocks of others bear out: one clock that is far ahead ends no lease. Log
    /// time that is ahead of the clocks all the same goes on, and at nine tenths of the leader's monotonic clock at most.
    mutating func checkStamps(_ effects: [EngineEffect], of engine: Engine, at node: Int) throws(Violation) {
        let now = nodes[node].moment(time).monotonic
        // A clock that has just jumped is not yet known to the others.
        let isChecked = plan.clockJumpEvery == 0 && clocksAreKnown && engine.replica.isLeader
        let limit = latestAgreedClock + (plan.clockDrift == 0 ? 50 : 2000)
        for effect in effects {
            guard case .persist(let write) = effect else { continue }
            if write.reset != nil { nodes[node].lastStored = now }
            for entry in write.entries {
                let slowed = (now - nodes[node].lastStored) * 9 / 10 + 1
                nodes[node].lastStored = now
                guard isChecked, entry.term == engine.replica.term else { continue }
                let before = engine.replica.log.summary(at: entry.index - 1)?.time ?? 0
                guard entry.time <= max(before + slowed, limit) else {
                    throw Violation(
                        "entry \(entry.index) is stamped \(entry.time); the clocks agree on \(limit) at most, and the entry before, "
                            + "at \(before), bears out \(before + slowed)")
                }
            }
        }
    }

    /// Messages from before all clocks were corrected, which show them as they were, have arrived.
    private var clocksAreKnown: Bool {
        guard plan.clocksAhead > 0 else { return true }
        return plan.replayEvery == 0 && correctedAt.map { time > $0 + 10_000_000 } ?? false
    }

    /// The lower middle of the leader's clock and some others' is nowhere later than this, whichever they are.
    private var latestAgreedClock: UInt64 {
        let clocks = nodes.map { $0.moment(time).wall }.sorted()
        guard clocks.count > 1 else { return clocks[0] }
        return (2...clocks.count).map { clocks[clocks.count - $0 + ($0 - 1) / 2] }.max()!
    }
}
