import Consensus
import NodeEngine

extension SimulatedCluster {
    /// What a leader stamps is not later than the clocks of others bear out: one clock that is far ahead ends no lease.
    func checkStamps(_ effects: [EngineEffect], of engine: Engine) throws(Violation) {
        // A clock that has just jumped is not yet known to the others.
        guard plan.clockJumpEvery == 0, engine.replica.isLeader else { return }
        let limit = latestAgreedClock + (plan.clockDrift == 0 ? 50 : 2000)
        for effect in effects {
            guard case .persist(let write) = effect else { continue }
            for entry in write.entries where entry.term == engine.replica.term {
                let before = engine.replica.log.summary(at: entry.index - 1)?.time ?? 0
                guard entry.time <= max(before, limit) else {
                    throw Violation("entry \(entry.index) is stamped \(entry.time), and the clocks agree on \(limit) at most")
                }
            }
        }
    }

    /// The lower middle of the leader's clock and some others' is nowhere later than this, whichever they are.
    private var latestAgreedClock: UInt64 {
        let clocks = nodes.map { $0.moment(time).wall }.sorted()
        guard clocks.count > 1 else { return clocks[0] }
        return (2...clocks.count).map { clocks[clocks.count - $0 + ($0 - 1) / 2] }.max()!
    }
}
