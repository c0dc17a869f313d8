import Consensus
import Jobboard
import NodeEngine
import WireFormat

extension SimulatedCluster {
    /// In every third run nodes have little memory, each its own limit. Drawn apart, so that all else of a seed stays as it is.
    mutating func drawMemoryLimits(seed: UInt64) {
        var random = SplitMix64(seed: seed ^ 0x6d65_6d6f_7279)
        guard random.below(3) == 0 else { return }
        for node in nodes.indices { nodes[node].memoryBytes = (9 + random.below(12)) << 10 }
    }

    /// What no limit stops besides sessions: the marks of claims, and answers that are kept.
    private static let unlimitedBytes = 8 << 10

    /// The state never counts for more than the node with the most memory may hold, and a leader heeds the limit of each
    /// follower that has just said it.
    func checkMemory(_ engine: Engine, after inputs: [EngineInput], wasLeader: Bool, in term: Term) throws(Violation) {
        guard let most = nodes.map(\.memoryBytes).max(), most > 0 else { return }
        let machine = engine.state.machine
        let used = machine.accountedBytes - machine.sessionCount * StateCost.session
        guard used <= Int(most) + Self.unlimitedBytes else {
            throw Violation("node \(engine.replica.id) holds \(used) bytes, and no node may hold more than \(most)")
        }
        guard wasLeader, engine.replica.isLeader, engine.replica.term == term else { return }
        for case .peer(let frame, _) in inputs {
            guard case .heartbeatReply(let reply) = frame.message, reply.term == term else { continue }
            let limit = nodes.first { $0.id == frame.from }?.memoryBytes ?? 0
            guard (engine.replica.clusterMemory ?? .max) <= limit else {
                throw Violation("the leader admits by other limits than that of node \(frame.from), which is \(limit)")
            }
        }
    }
}
