/// Everything that can happen to a replica.
package enum ReplicaInput: Sendable {
    /// Time passed; nothing else.
    case tick
    case message(from: NodeID, Message)
    /// Append this; only a leader that `acceptsWrites` is asked.
    case propose(kind: EntryKind, payload: [UInt8], commandCount: UInt32)
    /// Every write up to this number is on stable storage.
    case persisted(upTo: UInt64)
    /// The answer to `.load`: entries from disk, or none when they could not be read.
    case loaded(for: NodeID, entries: [Entry])
    /// The stream to or from this peer broke: what was under way may be lost.
    case connectionLost(NodeID)
    /// A read came to this node; `.readReady` or `.readFailed` will name it.
    case read(UInt64)
    /// The state machine has taken in everything up to here.
    case applied(LogIndex)
    /// A snapshot of this node's own state is on stable storage.
    case snapshotTaken(SnapshotReference)
    /// So much of the snapshot that is being fetched is here.
    case snapshotPieces(UInt64)
    /// A snapshot that was offered is here whole, on stable storage.
    case snapshotFetched(SnapshotReference)
    /// Nobody has it any more.
    case snapshotFetchFailed(SnapshotReference)
    /// The disk has let go of the entries up to this one.
    case released(LogIndex)
    /// What the disk can still take has changed.
    case room(Room)
    /// The process is to end: another should lead, if this node does.
    case leave
}

/// Everything that can come out of a replica.
package enum ReplicaOutput: Sendable, Equatable {
    /// Work for the disk, in order; `persisted(upTo:)` answers.
    case persist(LogWrite)
    case send(to: NodeID, Message)
    /// A follower needs entries that are no longer in memory; `loaded` answers.
    case load(for: NodeID, from: LogIndex, maxBytes: Int)
    /// Entries up to here are final.
    case committed(LogIndex)
    /// Fetch this snapshot from any peer; `snapshotFetched` or `snapshotFetchFailed` answers.
    case fetchSnapshot(SnapshotReference, from: NodeID)
    /// The state machine goes on from this snapshot, which was fetched; everything up to it counts as applied.
    case install(SnapshotReference)
    /// The read may be answered by a state that has applied this index.
    case readReady(UInt64, index: LogIndex)
    /// The read can't be confirmed: no leader, or it changed.
    case readFailed(UInt64)
    /// Who leads, as far as this node knows.
    case leader(NodeID?, term: Term)
    /// Something impossible was seen: this node must stop, and people must look.
    case halt(String)
}

/// A time on both clocks, in milliseconds.
package struct Moment: Sendable, Equatable {
    /// Never jumps; from an arbitrary start. Counts the time in which the machine was suspended.
    package var monotonic: UInt64
    /// Since the Unix epoch, as this machine believes.
    package var wall: UInt64

    package init(monotonic: UInt64, wall: UInt64) {
        self.monotonic = monotonic
        self.wall = wall
    }
}

/// Turns drafts into entries: compression and digests live elsewhere, and are pure.
package struct Sealer: Sendable {
    package let seal: @Sendable (EntryDraft) -> Entry

    package init(_ seal: @escaping @Sendable (EntryDraft) -> Entry) {
        self.seal = seal
    }
}
