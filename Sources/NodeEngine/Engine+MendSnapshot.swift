import Consensus
import Jobboard
import WireFormat

/// Rotten snapshots of this node are fetched from its peers, as a node that is far behind fetches one.
extension Engine {
    /// Milliseconds from a failed attempt to the next. Two nodes whose copies have both rotted would set each other off for
    /// ever, and one whose disk takes no snapshot would have the leader log mark after mark.
    private static var patience: UInt64 { 5000 }

    /// A snapshot of our own that has rotted is fetched from whoever has it still. It is not urgent: a fetch that is under way
    /// goes on, and the scrubber will say it again.
    mutating func mend(_ index: LogIndex, _ known: SnapshotReference?, _ effects: inout [EngineEffect]) {
        guard fetch == nil, now.monotonic >= mendsAgainAt, let first = replica.peers.first else { return }
        if let snapshot = known ?? ownSnapshots.last(where: { $0.index == index }) {
            return startMending(snapshot, from: first, &effects)
        }
        if unnamed?.index != index { unnamed = UnnamedSnapshot(index) }
        askForName(&effects)
    }

    private mutating func startMending(_ snapshot: SnapshotReference, from first: NodeID, _ effects: inout [EngineEffect]) {
        unnamed = nil
        mending = snapshot
        var actions: [SnapshotFetch.Action] = []
        fetch = SnapshotFetch(snapshot, peers: replica.peers, first: first, now: now.monotonic, &actions)
        perform(actions, &effects)
    }

    /// What a snapshot was whose name has rotted with it is asked of all peers, until that is known or it is no longer kept.
    mutating func askForName(_ effects: inout [EngineEffect]) {
        guard fetch == nil, let index = unnamed?.index, unnamed?.asksNow(now.monotonic) == true else { return }
        for peer in replica.peers {
            effects.append(.transfer(to: peer, .askContentsAt(index)))
        }
    }

    /// A peer says what its snapshot of that entry is, or that it has none. One of another history says nothing of ours.
    mutating func heardName(_ snapshot: SnapshotReference?, from peer: NodeID, _ effects: inout [EngineEffect]) {
        guard fetch == nil, let index = unnamed?.index else { return }
        if let snapshot {
            guard snapshot.index == index, replica.log.summary(at: index) == snapshot.last else { return }
        }
        unnamed?.answered(peer, snapshot)
        guard let (name, giver) = unnamed?.name(among: replica.peers) else { return }
        startMending(name, from: giver, &effects)
    }

    /// `isLost`: no peer has it, and it was not our own disk that failed. A node goes on without it; but a leader may have
    /// nothing else to offer to one that is behind.
    mutating func mendingFailed(isLost: Bool, _ effects: inout [EngineEffect]) {
        guard let snapshot = mending else { return }
        (mending, mendsAgainAt) = (nil, now.monotonic + Self.patience)
        guard isLost else { return }
        lost = snapshot
        effects.append(.notice(.snapshotLost(index: snapshot.index)))
    }

    mutating func mended(_ snapshot: SnapshotReference, _ effects: inout [EngineEffect]) {
        guard fetch?.snapshot == snapshot, mending == snapshot else { return }
        (fetch, mending) = (nil, nil)
        if lost == snapshot { lost = nil }
        mendedSnapshots += 1
        effects.append(.notice(.snapshotMended(index: snapshot.index)))
    }
}
