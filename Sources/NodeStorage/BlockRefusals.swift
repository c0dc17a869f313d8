import Consensus

/// What peers say of blocks that they can't give, while a node that lacks these waits for them.
struct BlockRefusals {
    /// Milliseconds until a block counts as had from nobody by itself, when one has compacted it and the others say nothing.
    private static let patience: UInt64 = 3000

    private struct Refusal {
        /// These say that they never had it.
        var neverHad: Set<NodeID> = []
        var all: Set<NodeID> = []
        /// The moment of the first one.
        var since: UInt64
    }

    /// How many could give one.
    private let peers: Int
    /// Only looked up and counted.
    private var known: [MissingBlock: Refusal] = [:]

    init(peers: Int) {
        self.peers = peers
    }

    mutating func add(_ block: MissingBlock, by peer: NodeID, neverHad: Bool, now: UInt64) {
        known[block, default: Refusal(since: now)].all.insert(peer)
        if neverHad { known[block]?.neverHad.insert(peer) }
    }

    /// Something has changed: all are asked again.
    mutating func forget() { known = [:] }

    /// How many blocks no peer can give.
    var refusedByAll: Int { known.values.count { $0.all.count == peers } }

    /// How many no peer ever had.
    var neverHadByAll: Int { known.values.count { $0.neverHad.count == peers } }

    /// Whether some block is more likely to be had as a part of a snapshot: from all, or from one that had it, while those
    /// that are silent may be down.
    func areForSnapshot(now: UInt64) -> Bool {
        known.values.contains { refusal in
            let isCompacted = refusal.neverHad.count < refusal.all.count
            return refusal.all.count == peers || (isCompacted && now >= refusal.since + Self.patience)
        }
    }
}
