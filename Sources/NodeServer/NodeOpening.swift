import Consensus
import EventLog
import Logging
import NodeEngine
import NodeStorage

/// Opens a node's data folder, says what was found there, and puts what is wrong into one line.
enum NodeOpening {
    static func open(
        _ configuration: ClusterConfiguration, node: NodeID, folder: String, logger: Logger
    ) throws(NodeError) -> NodeRecovery {
        do {
            let disk = try PosixDisk(path: folder, access: .owner)
            let node = try NodeRecovery(
                on: disk, node: node, voters: configuration.nodes.map { NodeID($0.id) }, settings: configuration.engineSettings(),
                options: EventLogOptions(segmentBytes: configuration.segmentBytes), seed: UInt64.random(in: .min ... .max),
                now: EngineLoop.now())
            for reason in node.damagedSnapshots {
                logger.warning("a damaged snapshot was passed over", metadata: [LogKey.reason: "\(reason)"])
            }
            logger.info(
                "log recovered",
                metadata: [
                    LogKey.folder: "\(folder)", LogKey.entries: "\(node.recovery.entries.count)",
                    LogKey.base: "\(node.recovery.base.index)", LogKey.snapshot: "\(node.engine.replica.snapshot?.index ?? 0)",
                    LogKey.commit: "\(node.recovery.commit)", LogKey.term: "\(node.recovery.hardState.term)",
                    LogKey.cut: "\(node.recovery.torn?.bytes ?? 0)",
                ])
            return node
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
}
