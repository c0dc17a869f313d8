package import Consensus
package import EventLog
package import NodeEngine

/// Brings a node back from its data folder: the log, the newest snapshot that it goes on from, and the boards as they were
/// at the last entry that is known to be committed.
package struct NodeRecovery {
    package var engine: Engine
    package var log: EventLog
    /// What opening the log found.
    package var recovery: EventLog.Recovery
    /// Snapshots that were passed over since they are damaged: a line each.
    package var damagedSnapshots: [String]

    private static let readBytes = 4 << 20

    /// Throws `DiskError`, `EventLogError` and `ApplyError`; then the folder's acknowledged contents are as they were.
    package init(
        on disk: any Disk, node: NodeID, voters: [NodeID], settings: EngineSettings, options: EventLogOptions, seed: UInt64,
        now: Moment
    ) throws {
        let identity = LogIdentity(cluster: settings.cluster, node: node.rawValue)
        let (log, recovery) = try EventLog.open(on: disk, identity: identity, options: options)
        if let damage = recovery.damage {
            log.close()
            throw EventLogError(.damaged, damage.description)
        }
        self.log = log
        self.recovery = recovery
        let found = RecoveredLog(
            hardState: recovery.hardState, commit: recovery.commit, base: recovery.base, entries: recovery.entries)
        let (snapshot, damaged) = try SnapshotDesk(on: disk, settings: settings).newest(fitting: found)
        damagedSnapshots = damaged
        guard snapshot != nil || recovery.base.index == 0 else {
            let why = damaged.isEmpty ? "no snapshot reaches there" : damaged.joined(separator: "; ")
            throw EventLogError(.damaged, "the log begins behind entry \(recovery.base.index), and \(why)")
        }
        let tag = log.cluster
        engine = try Engine.recover(
            id: node, voters: voters, settings: settings, log: found, snapshot: snapshot,
            sealer: Sealer { BlockCodec.seal($0, cluster: tag) }, opener: Opener { try? BlockCodec.payload(of: $0) },
            seed: seed, now: now
        ) { try log.read(from: $0, through: $1, maxBytes: Self.readBytes) }
    }
}
