import Consensus
import WireFormat

/// How the nodes of a cluster stand, as Prometheus text (its exposition format, version 0.0.4).
enum ClusterMetrics {
    private struct Metric: Sendable {
        var name: String
        var kind: String
        var help: String
        /// A node that repairs itself can tell it; of anything else it would say zero.
        var isOfRepair = false
        /// Values, each with labels of its own besides those of the node.
        var values: @Sendable (NodeStatus) -> [(labels: [(String, String)], value: Double)]

        static func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (NodeStatus) -> UInt64) -> Metric {
            Metric(name: name, kind: "gauge", help: help) { [([], Double(value($0)))] }
        }

        /// The same of what a node that repairs itself can tell.
        var ofRepair: Metric {
            var metric = self
            metric.isOfRepair = true
            return metric
        }

        static func counter(_ name: String, _ help: String, _ value: @escaping @Sendable (NodeStatus) -> UInt64) -> Metric {
            Metric(name: name, kind: "counter", help: help) { [([], Double(value($0)))] }
        }
    }

    private static let metrics: [Metric] = [
        .gauge("raft_term", "The term that the node is in.") { $0.term },
        .gauge("raft_is_leader", "1 when the node leads.") { $0.role == .leader ? 1 : 0 },
        .gauge("raft_last_index", "The last entry of the node's log.") { $0.lastIndex },
        .gauge("raft_commit_index", "The last entry that the node knows to be committed.") { $0.commit },
        .gauge("raft_applied_index", "The last entry that the node has applied.") { $0.applied },
        .gauge("event_position", "The position of the last event.") { $0.position },
        Metric(name: "jobs", kind: "gauge", help: "Jobs on all boards, by state.") {
            [("UNCLAIMED", $0.unclaimed), ("CLAIMED", $0.claimed), ("COMPLETE", $0.complete), ("TRASHED", $0.trashed)]
                .map { ([("state", $0.0)], Double($0.1)) }
        },
        .gauge("log_raw_bytes", "Commands in the log, before compression.") { $0.rawBytes },
        .gauge("log_stored_bytes", "Blocks of the log, compressed, with their headers.") { $0.storedBytes },
        .gauge("log_disk_bytes", "What the log's blocks take in files.") { $0.diskBytes },
        .counter("log_syncs_total", "Times that the node made its log durable.") { $0.syncs },
        Metric(name: "log_sync_p99_seconds", kind: "gauge", help: "The 99th percentile of the last writes to disk.") {
            [([], Double($0.syncP99Microseconds) / 1_000_000)]
        },
        .gauge("log_room", "What the node's disk can take: 3 ample, 2 low, 1 its reserve, 0 nothing.") {
            UInt64($0.room.rawValue)
        }.ofRepair,
        .gauge("read_only", "1 while the node, as the leader, refuses posts for want of room on disks or in memory.") {
            $0.isReadOnly ? 1 : 0
        },
        .gauge("repairing", "1 while the node is damaged and serves nobody.") { $0.role == .repairing ? 1 : 0 }
            .ofRepair,
        .gauge("log_missing_blocks", "Blocks of the node's log that are damaged and not yet fetched.") {
            $0.repair.missingBlocks
        }.ofRepair,
        .gauge("log_unobtainable_blocks", "Those of them that no other node can give as things are.") {
            $0.repair.unobtainableBlocks
        }.ofRepair,
        .counter("log_mended_blocks_total", "Missing blocks that were fetched from other nodes.") { $0.repair.mendedBlocks }
            .ofRepair,
        .counter("snapshots_mended_total", "Missing snapshots that were fetched from other nodes.") { $0.repair.mendedSnapshots }
            .ofRepair,
        .counter("log_scrubbed_bytes_total", "Bytes of the log that were read again to look for rot.") {
            $0.repair.scrubbedBytes
        },
        .counter("log_scrub_rounds_total", "Times that the whole log was read again.") { $0.repair.scrubRounds },
        budget("budget_used", "gauge", "How much of a budget is in use; see Docs/Budgets.md.") { $0.used }.ofRepair,
        budget("budget_limit", "gauge", "The limit of a budget.") { $0.limit }.ofRepair,
        budget("budget_refused_total", "counter", "Times that something was refused, shed or dropped for a budget.") {
            $0.refused
        }.ofRepair,
        Metric(name: "peer_reachable", kind: "gauge", help: "1 when the node has heard lately of that peer.") { status in
            status.members.map { ([("peer", "\($0.node)")], $0.reachable ? 1 : 0) }
        },
    ]

    private static func budget(
        _ name: String, _ kind: String, _ help: String, _ value: @escaping @Sendable (BudgetReading) -> UInt64
    ) -> Metric {
        Metric(name: name, kind: kind, help: help) { status in
            status.budgets.map { ([("budget", $0.name)], Double(value($0))) }
        }
    }

    static func text(_ reports: [ClusterStatus.Report]) -> String {
        let up = Metric(name: "up", kind: "gauge", help: "1 when the node has answered.") { _ in [([], 1)] }
        var lines = head(of: up)
        for report in reports {
            lines.append(line("up", [("address", report.address)], report.status == nil ? 0 : 1))
        }
        for metric in metrics {
            lines += head(of: metric)
            for report in reports {
                guard let status = report.status, status.role != .repairing || metric.isOfRepair else { continue }
                let node = [("address", report.address), ("cluster", status.cluster), ("node", "\(status.node)")]
                for (labels, value) in metric.values(status) { lines.append(line(metric.name, node + labels, value)) }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func head(of metric: Metric) -> [String] {
        ["# HELP jobboard_\(metric.name) \(metric.help)", "# TYPE jobboard_\(metric.name) \(metric.kind)"]
    }

    private static func line(_ name: String, _ labels: [(String, String)], _ value: Double) -> String {
        let all = labels.map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ",")
        let number = UInt64(exactly: value).map { "\($0)" } ?? "\(value)"
        return "jobboard_\(name){\(all)} \(number)"
    }

    private static func escaped(_ label: String) -> String {
        label.unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
