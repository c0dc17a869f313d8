import Consensus
import EventLog
import Logging
import NodeEngine

/// Brings a node back from its data folder: the log, the boards as they were at the last known commit, the replica.
struct NodeRecovery {
    var engine: Engine
    var log: EventLog
    /// Counts the starts of this node.
    var incarnation: UInt64

    private static let readBytes = 4 << 20

    init(configuration: ClusterConfiguration, node: NodeID, folder: String, logger: Logger) throws(NodeError) {
        do {
            let disk = try PosixDisk(path: folder, access: .owner)
            let identity = LogIdentity(cluster: configuration.cluster, node: node.rawValue)
            let options = EventLogOptions(segmentBytes: configuration.segmentBytes)
            let (log, recovery) = try EventLog.open(on: disk, identity: identity, options: options)
            if let damage = recovery.damage {
                log.close()
                throw EventLogError(.damaged, damage.description)
            }
            self.log = log
            incarnation = UInt64(recovery.incarnation)
            engine = try Self.engine(from: log, recovery, configuration, node)
            logger.info(
                "log recovered",
                metadata: [
                    LogKey.folder: "\(folder)", LogKey.entries: "\(recovery.entries.count)",
                    LogKey.commit: "\(recovery.commit)", LogKey.term: "\(recovery.hardState.term)",
                    LogKey.cut: "\(recovery.torn?.bytes ?? 0)",
                ])
        } catch let error as DiskError {
            throw NodeError(.usage, "data folder: \(error.description)")
        } catch let error as EventLogError {
            throw NodeError(.usage, "data folder: \(error.description)")
        } catch let error as ApplyError {
            throw NodeError(.failed, "\(folder): \(error.description)")
        } catch {
            throw NodeError(.failed, "\(folder): \(error)")
        }
    }

    private static func engine(
        from log: EventLog, _ recovery: EventLog.Recovery, _ configuration: ClusterConfiguration, _ node: NodeID
    ) throws -> Engine {
        let tag = BlockCodec.clusterTag(configuration.cluster)
        return try Engine.recover(
            id: node, voters: configuration.nodes.map { NodeID($0.id) }, settings: configuration.engineSettings(),
            log: RecoveredLog(hardState: recovery.hardState, commit: recovery.commit, entries: recovery.entries),
            sealer: Sealer { BlockCodec.seal($0, cluster: tag) }, opener: Opener { try? BlockCodec.payload(of: $0) },
            seed: UInt64.random(in: .min ... .max), now: EngineLoop.now()
        ) { try log.read(from: $0, through: $1, maxBytes: readBytes) }
    }
}
