import Consensus

/// What peers say of blocks that they can't give, while a node that lacks these waits for them.
package struct BlockRefusals: Sendable {
    /// Milliseconds until a block counts as had from nobody by itself, when one has compacted it and the others say nothing.
    private static let patience: UInt64 = 3000

    private struct Refusal: Sendable {
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
    package mutating func forget() { known = [:] }

    /// Forgets what was said of other blocks.
    mutating func keep(_ missing: [MissingBlock]) {
        guard !known.isEmpty else { return }
        let missing = Set(missing)
        known = known.filter { missing.contains($0.key) }
    }

    func isRefusedByAll(_ block: MissingBlock) -> Bool { known[block]?.all.count == peers }

    /// Whether no peer has the block whole, as far as is known, and some may have it corrupt: those that are silent may be down.
    func isOnlyCorrupt(_ block: MissingBlock, now: UInt64) -> Bool {
        guard let refusal = known[block], refusal.neverHad.count < refusal.all.count else { return false }
        return refusal.all.count == peers || now >= refusal.since + Self.patience
    }

    /// How many blocks no peer can give.
    package var refusedByAll: Int { known.values.count { $0.all.count == peers } }

    /// How many no peer ever had.
    package var neverHadByAll: Int { known.values.count { $0.neverHad.count == peers } }

    /// Whether some block is more likely to be had as a part of a snapshot: from all, or from one that had it, while those
    /// that are silent may be down.
    package func areForSnapshot(now: UInt64) -> Bool {
        known.values.contains { refusal in
            let isCompacted = refusal.neverHad.count < refusal.all.count
            return refusal.all.count == peers || (isCompacted && now >= refusal.since + Self.patience)
        }
    }
}
