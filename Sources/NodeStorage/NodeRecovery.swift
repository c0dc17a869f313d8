package import Consensus
package import EventLog
package import NodeEngine

/// Brings a node back from its data folder: the log, the newest snapshot that it goes on from, and the boards as they were
/// at the last entry that is known to be committed.
package struct NodeRecovery {
    /// How a folder's node goes on.
    package enum Found {
        case whole(NodeRecovery)
        /// Something that was acknowledged can't be read, and peers may have it.
        case damaged(NodeRepair)
    }

    package var engine: Engine
    package var log: EventLog
    /// What opening the log found.
    package var recovery: EventLog.Recovery
    /// Snapshots that were passed over since they are damaged: a line each.
    package var damagedSnapshots: [String]

    private static let readBytes = 4 << 20

    /// `emptyLog`: what it means when nothing has ever happened in the node's log. A folder in which there is none yet and that
    /// is `lost` remembers that.
    ///
    /// Throws `DiskError`, `EventLogError` and `ApplyError`: `damaged` where no peer could help, or where it can't be known
    /// what was acknowledged.
    package static func open(
        on disk: any Disk, node: NodeID, voters: [NodeID], settings: EngineSettings, options: EventLogOptions,
        chunkBytes: Int = SnapshotContents.usualChunkBytes, emptyLog: EmptyLog = .unexplained, seed: UInt64, now: Moment
    ) throws -> Found {
        let identity = LogIdentity(cluster: settings.cluster, node: node.rawValue)
        let desk = SnapshotDesk(on: disk, settings: settings, chunkBytes: chunkBytes)
        var start = Start()
        let (log, recovery) = try EventLog.open(
            on: disk, identity: identity, membership: Membership(voters: voters.map(\.rawValue)), options: options,
            wasEmptied: emptyLog == .lost, begins: emptyLog == .beginning
        ) { found throws(EventLogError) in
            start = try Start(found, desk, isAlone: voters.count == 1)
            if start.isEmpty, emptyLog == .unexplained, voters.count > 1 {
                start.log = nil
                start.reason = "its log is empty"
            }
        }
        do {
            guard let behind = start.log else {
                let peers = voters.filter { $0 != node }
                return .damaged(
                    NodeRepair(
                        log, desk: desk, peers: peers, reason: start.reason, lacksState: start.lacksState,
                        isUnexplained: start.isEmpty, candidates: settings.combinedCandidates, seed: seed))
            }
            let engine = try recover(
                behind, start.snapshot, log, node: node, voters: voters, settings: settings, seed: seed, now: now)
            return .whole(
                NodeRecovery(engine: engine, log: log, recovery: recovery, damagedSnapshots: start.damagedSnapshots))
        } catch {
            log.close()
            throw error
        }
    }

    /// What a node can start from.
    private struct Start {
        /// Nil when something is missing that no snapshot here has.
        var log: RecoveredLog?
        var snapshot: RecoveredSnapshot?
        var damagedSnapshots: [String] = []
        /// The log begins behind an entry that no whole snapshot reaches.
        var lacksState = false
        /// Why there is no `log`.
        var reason = ""
        /// Nothing has ever happened in it, as far as anybody here knows.
        var isEmpty = false

        init() {}

        /// Nothing was written yet: throws `damaged`, and leaves the folder as it is, where nobody can help.
        init(_ recovery: EventLog.Recovery, _ desk: SnapshotDesk, isAlone: Bool) throws(EventLogError) {
            let found = RecoveredLog(recovery)
            (snapshot, damagedSnapshots) = try desk.newest(fitting: found)
            lacksState = snapshot == nil && recovery.base.index > 0
            reason = recovery.damage?.description ?? ""
            // No entry of a term is written before the term itself.
            let isTermLost = recovery.hardState.term < recovery.last.term
            if reason.isEmpty, recovery.isEndLost { reason = "all that its log held is lost" }
            if isTermLost { reason = "the log has entries of term \(recovery.last.term), and the vote in that term is lost" }
            let isLost = recovery.isEndLost || recovery.isHardStateLost || isTermLost
            let needed = snapshot?.snapshot.index ?? 0
            if !isLost, let behind = found.behind(needed), behind.base.index <= needed {
                log = behind
                isEmpty = !recovery.isMember && recovery.last.index == 0 && recovery.hardState == HardState(term: 0, vote: nil)
                return
            }
            if reason.isEmpty {
                let why = damagedSnapshots.isEmpty ? "no snapshot reaches there" : damagedSnapshots.joined(separator: "; ")
                reason = "the log begins behind entry \(recovery.base.index), and \(why)"
            }
            if isAlone { throw EventLogError(.damaged, reason) }
        }
    }

    private static func recover(
        _ found: RecoveredLog, _ snapshot: RecoveredSnapshot?, _ log: EventLog, node: NodeID, voters: [NodeID],
        settings: EngineSettings, seed: UInt64, now: Moment
    ) throws -> Engine {
        let tag = log.cluster
        return try Engine.recover(
            id: node, voters: voters, settings: settings, log: found, snapshot: snapshot,
            sealer: Sealer { BlockCodec.seal($0, cluster: tag) }, opener: Opener { try? BlockCodec.payload(of: $0) },
            seed: seed, now: now
        ) { try log.read(from: $0, through: $1, maxBytes: readBytes) }
    }
}

extension RecoveredLog {
    /// All that the log holds, with holes where nothing is known.
    init(_ recovery: EventLog.Recovery) {
        self.init(
            hardState: recovery.hardState, commit: recovery.commit, base: recovery.base,
            entries: recovery.entries.map { $0 } + recovery.behindHole, missing: recovery.missing?.indexes ?? [])
    }
}
