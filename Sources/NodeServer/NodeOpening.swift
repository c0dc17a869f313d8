import Consensus
import EventLog
import Logging
import NodeEngine
import NodeStorage

/// Opens a node's data folder, says what was found there, and puts what is wrong into one line.
enum NodeOpening {
    /// The folder, locked for this process. Throws when that can't be.
    static func lock(_ folder: String) throws(NodeError) -> PosixDisk {
        do {
            return try PosixDisk(path: folder, access: .owner)
        } catch {
            throw NodeError(.usage, "data folder: \(error.description)")
        }
    }

    /// The node; nil when descriptors or memory are short and it can be tried again.
    static func open(
        _ configuration: ClusterConfiguration, node: NodeID, on disk: PosixDisk, folder: String, emptyLog: EmptyLog,
        logger: Logger
    ) throws(NodeError) -> NodeRecovery.Found? {
        do {
            let found = try NodeRecovery.open(
                on: disk, node: node, voters: configuration.nodes.map { NodeID($0.id) },
                settings: configuration.engineSettings(),
                options: EventLogOptions(segmentBytes: configuration.segmentBytes, readySpares: 2), emptyLog: emptyLog,
                seed: UInt64.random(in: .min ... .max),
                now: EngineLoop.now())
            report(found, folder, logger)
            return found
        } catch let error as EventLogError where error.code == .transient {
            logger.warning(
                "the data folder can't be opened for now: descriptors or memory are short",
                metadata: [LogKey.folder: "\(folder)", LogKey.reason: "\(error)"])
            return nil
        } catch let error as DiskError {
            throw NodeError(.usage, "data folder: \(error.description)")
        } catch let error as EventLogError where error.code == .damaged {
            let advice =
                configuration.nodes.count > 1
                ? "restore a backup; or move the folder away and start with --rejoin: the other nodes give back what it held"
                : concerned(on: disk) + "this node is alone and nobody can give it back: restore a backup"
            throw NodeError(.usage, "data folder: \(error.description); \(advice)")
        } catch let error as EventLogError where error.code == .wrongMembership {
            throw NodeError(
                .usage,
                "data folder \(folder): \(error.description); give node \(node) the cluster file of the other nodes, or another data folder"
            )
        } catch let error as EventLogError {
            throw NodeError(.usage, "data folder: \(error.description)")
        } catch let error as ApplyError {
            throw NodeError(.failed, "\(folder): \(error.description)")
        } catch {
            throw NodeError(.failed, "\(folder): \(error)")
        }
    }

    /// What the damage may have done to jobs, where that can be told.
    private static func concerned(on disk: PosixDisk) -> String {
        guard let report = try? EventLog.scan(disk, visit: { _ in false }),
            let jobs = try? ConcernedJobs(of: report, on: disk)
        else { return "" }
        return jobs.description + "; "
    }

    private static func report(_ found: NodeRecovery.Found, _ folder: String, _ logger: Logger) {
        switch found {
        case .damaged(let repair) where repair.isUnexplained:
            logger.info(
                "the log is empty: asking all other nodes whether the cluster begins", metadata: [LogKey.folder: "\(folder)"])
        case .damaged(let repair):
            logger.warning(
                "damaged: asking the other nodes for what is missing",
                metadata: [
                    LogKey.folder: "\(folder)", LogKey.reason: "\(repair.reason)", LogKey.missing: "\(repair.missingCount)",
                ])
        case .whole(let node):
            for reason in node.damagedSnapshots {
                logger.warning("a damaged snapshot was passed over", metadata: [LogKey.reason: "\(reason)"])
            }
            logger.info(
                "log recovered",
                metadata: [
                    LogKey.folder: "\(folder)", LogKey.entries: "\(node.recovery.last.index - node.recovery.base.index)",
                    LogKey.base: "\(node.recovery.base.index)", LogKey.snapshot: "\(node.engine.replica.snapshot?.index ?? 0)",
                    LogKey.commit: "\(node.recovery.commit)", LogKey.term: "\(node.recovery.hardState.term)",
                    LogKey.cut: "\(node.recovery.torn?.bytes ?? 0)",
                ])
        }
    }
}
