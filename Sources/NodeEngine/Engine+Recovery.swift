package import Consensus

/// What a node finds in its log when it starts.
package struct RecoveredLog: Sendable {
    package var hardState: HardState
    /// Entries up to here are known to be committed.
    package var commit: LogIndex
    /// The entry before the first one held.
    package var base: EntrySummary
    /// Nil for one of which nothing is known.
    package var entries: [EntrySummary?]
    /// The indexes of those whose blocks can't be read, in order.
    package var missing: [LogIndex]

    package init(
        hardState: HardState, commit: LogIndex, base: EntrySummary = .beforeFirst, entries: [EntrySummary?],
        missing: [LogIndex] = []
    ) {
        self.hardState = hardState
        self.commit = commit
        self.base = base
        self.entries = entries
        self.missing = missing
    }

    /// Of an entry held, or of the one before them.
    package func summary(at index: LogIndex) -> EntrySummary? {
        guard index >= base.index, index - base.index <= LogIndex(entries.count) else { return nil }
        return index == base.index ? base : entries[Int(index - base.index) - 1]
    }

    /// The log as it is for somebody who has a snapshot up to `index`: what is missing before is no loss. Nil when something
    /// behind is missing.
    package func behind(_ index: LogIndex) -> RecoveredLog? {
        guard let last = missing.last else { return self }
        guard last <= index, let newBase = summary(at: index) else { return nil }
        var rest = self
        rest.base = newBase
        rest.entries.removeFirst(Int(index - base.index))
        rest.missing = []
        rest.commit = max(commit, index)
        return rest
    }
}

/// A snapshot found at the start: what it is, and what it holds.
package struct RecoveredSnapshot: Sendable {
    package var snapshot: SnapshotReference
    package var state: AppliedState
    package var storedBytes: UInt64

    package init(snapshot: SnapshotReference, state: AppliedState, storedBytes: UInt64) {
        self.snapshot = snapshot
        self.state = state
        self.storedBytes = storedBytes
    }
}

extension Engine {
    /// Brings a node back: takes in what is committed, keeps what may yet be, and starts as a follower.
    ///
    /// `found`: a snapshot that reaches to an entry of the log or to the one before it; needed where the log does not
    /// begin at the first entry. `read` gives entries from an index on, through another, as many as it likes and at least one.
    /// Throws what `read` throws, and `ApplyError` when an entry can't be taken in.
    package static func recover(
        id: NodeID, voters: [NodeID], settings: EngineSettings, log: RecoveredLog, snapshot found: RecoveredSnapshot? = nil,
        sealer: Sealer, opener: Opener, seed: UInt64, now: Moment, read: (_ from: LogIndex, _ through: LogIndex) throws -> [Entry]
    ) throws -> Engine {
        var state = found?.state ?? AppliedState(limits: settings.limits, rememberedEvents: settings.rememberedEvents)
        precondition(state.index >= log.base.index, "the log begins behind \(log.base.index), the state at \(state.index)")
        let commit = max(log.commit, state.index)
        var bytesSinceMark: UInt64 = 0
        while state.index < commit {
            for entry in try read(state.index + 1, commit) {
                _ = try state.replay(entry, opener: opener)
                bytesSinceMark = entry.kind == .snapshotMark ? 0 : bytesSinceMark + UInt64(entry.block.count)
            }
        }
        precondition(log.missing.isEmpty, "a node goes on from a whole log alone")
        let summaries = log.entries.compactMap(\.self)
        let last = log.base.index + LogIndex(summaries.count)
        var tail: [Entry] = []
        while commit + LogIndex(tail.count) < last { tail += try read(commit + LogIndex(tail.count) + 1, last) }
        let replica = Replica(
            id: id, configuration: Configuration(voters: voters), settings: settings.replica, sealer: sealer,
            hardState: log.hardState, log: ReplicaLog(base: log.base, summaries: summaries, tail: tail), commit: commit,
            snapshot: found?.snapshot, seed: seed, now: now)
        var engine = Engine(replica: replica, state: state, settings: settings, opener: opener, now: now)
        engine.bytesSinceMark = bytesSinceMark
        engine.snapshotBytes = found?.storedBytes ?? 0
        if let found { engine.ownSnapshots = [found.snapshot] }
        return engine
    }
}
