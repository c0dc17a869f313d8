package import Consensus

/// What a node finds in its log when it starts.
package struct RecoveredLog: Sendable {
    package var hardState: HardState
    /// Entries up to here are known to be committed.
    package var commit: LogIndex
    package var entries: [EntrySummary]

    package init(hardState: HardState, commit: LogIndex, entries: [EntrySummary]) {
        self.hardState = hardState
        self.commit = commit
        self.entries = entries
    }
}

extension Engine {
    /// Brings a node back: takes in what is committed, keeps what may yet be, and starts as a follower.
    ///
    /// `read` gives entries from an index on, through another, as many as it likes and at least one.
    /// Throws what `read` throws, and `ApplyError` when an entry can't be taken in.
    package static func recover(
        id: NodeID, voters: [NodeID], settings: EngineSettings, log: RecoveredLog, sealer: Sealer, opener: Opener,
        seed: UInt64, now: Moment, read: (_ from: LogIndex, _ through: LogIndex) throws -> [Entry]
    ) throws -> Engine {
        var state = AppliedState(limits: settings.limits, rememberedEvents: settings.rememberedEvents)
        while state.index < log.commit {
            for entry in try read(state.index + 1, log.commit) { _ = try state.replay(entry, opener: opener) }
        }
        let last = LogIndex(log.entries.count)
        var tail: [Entry] = []
        while log.commit + LogIndex(tail.count) < last { tail += try read(log.commit + LogIndex(tail.count) + 1, last) }
        let replica = Replica(
            id: id, configuration: Configuration(voters: voters), settings: settings.replica, sealer: sealer,
            hardState: log.hardState, log: ReplicaLog(summaries: log.entries, tail: tail), commit: log.commit, seed: seed,
            now: now)
        return Engine(replica: replica, state: state, settings: settings, opener: opener, now: now)
    }
}
