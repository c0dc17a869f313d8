package import Consensus

/// A snapshot of this node that has rotted so far that even its name can't be read: what the peers say that it was.
///
/// A name holds a digest of the bytes, and nodes with the same log write the same bytes. One peer's word is not enough, though:
/// the state of that one may have parted from everybody else's, and whoever took it over would part with it unseen.
package struct UnnamedSnapshot: Sendable {
    /// Milliseconds until all are asked again.
    private static let patience: UInt64 = 1000

    /// The entry that it reaches to.
    package let index: LogIndex
    /// What those who have answered call theirs; nil where they have none.
    private var answers: [NodeID: SnapshotReference?] = [:]
    private var askedAt: UInt64?

    package init(_ index: LogIndex) {
        self.index = index
    }

    /// Whether it is time to ask all peers; if so, it counts as done.
    package mutating func asksNow(_ now: UInt64) -> Bool {
        if let askedAt, now - askedAt < Self.patience { return false }
        askedAt = now
        return true
    }

    /// The last word of each peer counts.
    package mutating func answered(_ peer: NodeID, _ snapshot: SnapshotReference?) {
        answers[peer] = .some(snapshot)
    }

    /// The name, and one who gave it: the one that a majority of all nodes gives, or that all who have one give once everybody
    /// has answered.
    package func name(among peers: [NodeID]) -> (SnapshotReference, giver: NodeID)? {
        let named = peers.compactMap { peer in (answers[peer] ?? nil).map { (peer, $0) } }
        let majority = (peers.count + 1) / 2 + 1
        for (peer, name) in named {
            let alike = named.count { $0.1 == name }
            if alike >= majority || (alike == named.count && peers.allSatisfy { answers[$0] != nil }) { return (name, peer) }
        }
        return nil
    }
}
