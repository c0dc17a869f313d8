import Jobboard
import Testing
import WireFormat

@testable import JobboardCLI

@Suite struct ClusterMetricsTests {
    private static let lines: [Substring] = {
        var status = NodeStatus(cluster: "a \"b\" \\", node: 2, role: .leader, term: 7)
        status.syncP99Microseconds = 1500
        status.claimed = 3
        status.repair.mendedBlocks = 4
        status.budgets = [.init(name: "parked_requests", used: 5, limit: 9, refused: 2)]
        status.members = [.init(node: 1, clientAddress: "h:1", reachable: false, datagrams: false, durable: 0)]
        let text = ClusterMetrics.text([.init(address: "h:2", status: status), .init(address: "h:3")])
        return text.split(separator: "\n")
    }()

    @Test(arguments: [
        #"jobboard_up{address="h:2"} 1"#, #"jobboard_up{address="h:3"} 0"#,
        #"jobboard_raft_term{address="h:2",cluster="a \"b\" \\",node="2"} 7"#,
        #"jobboard_jobs{address="h:2",cluster="a \"b\" \\",node="2",state="CLAIMED"} 3"#,
        #"jobboard_log_sync_p99_seconds{address="h:2",cluster="a \"b\" \\",node="2"} 0.0015"#,
        #"jobboard_log_mended_blocks_total{address="h:2",cluster="a \"b\" \\",node="2"} 4"#,
        #"jobboard_peer_reachable{address="h:2",cluster="a \"b\" \\",node="2",peer="1"} 0"#,
        #"jobboard_budget_used{address="h:2",cluster="a \"b\" \\",node="2",budget="parked_requests"} 5"#,
        #"jobboard_budget_refused_total{address="h:2",cluster="a \"b\" \\",node="2",budget="parked_requests"} 2"#,
        "# TYPE jobboard_log_mended_blocks_total counter",
    ])
    func aLineIsAsPrometheusReadsIt(line: String) {
        #expect(Self.lines.contains(line[...]), "\(Self.lines.joined(separator: "\n"))")
    }

    @Test func `the table shows connections and descriptors with their limits, of a node that repairs itself too`() throws {
        for role in [NodeStatus.Role.leader, .repairing] {
            var status = NodeStatus(cluster: "c", node: 1, role: role, term: 1)
            status.budgets = [
                .init(name: "descriptors", used: 41, limit: 1024), .init(name: "connections", used: 7, limit: 700),
            ]
            let rows = ClusterStatus.table([.init(address: "h:1", status: status)]).split(separator: "\n")
            let words = rows.map { $0.split(separator: " ") }
            let names = try #require(words.first)
            #expect(names.contains("CONNS") && names.contains("FILES"))
            #expect(words.last?.contains("7/700") == true && words.last?.contains("41/1024") == true)
            let metrics = ClusterMetrics.text([.init(address: "h:1", status: status)])
            let labels = #"address="h:1",cluster="c",node="1""#
            #expect(metrics.contains("jobboard_budget_used{\(labels),budget=\"connections\"} 7\n"))
            #expect(metrics.contains("jobboard_budget_limit{\(labels),budget=\"descriptors\"} 1024\n"))
        }
    }

    @Test func nodesComeInOrderAndASilentOneHasTheNumberThatOthersGiveIt() {
        var status = NodeStatus(cluster: "c", node: 3, role: .leader, term: 1)
        status.members = [1, 2, 3].map {
            .init(node: $0, clientAddress: "h:\($0)", reachable: true, datagrams: true, durable: 0)
        }
        let found = ClusterStatus.inOrder([
            .init(address: "h:9"), .init(address: "h:3", status: status), .init(address: "h:2"), .init(address: "h:1"),
        ])
        #expect(found.map(\.node) == [1, 2, 3, nil])
        #expect(found.map(\.address) == ["h:1", "h:2", "h:3", "h:9"])
    }

    /// Of a node that is silent only that is known; each metric is said what it is once.
    @Test func everyMetricHasOneHeadAndNoNodeIsMadeUp() {
        #expect(Self.lines.count { $0.contains("h:3") } == 1)
        let heads = Self.lines.filter { $0.hasPrefix("# TYPE") }
        #expect(Set(heads).count == heads.count && heads.count == Self.lines.count { $0.hasPrefix("# HELP") })
        let named = Set(heads.map { $0.split(separator: " ")[2] })
        let used = Set(Self.lines.filter { !$0.hasPrefix("#") }.map { $0.prefix { $0 != "{" } })
        #expect(named == used)
    }

    @Test func aNodeThatRepairsItselfTellsNothingThatItDoesNotKnow() {
        var status = NodeStatus(cluster: "c", node: 1, role: .repairing, term: 0)
        status.repair.missingBlocks = 7
        let lines = ClusterMetrics.text([.init(address: "h:1", status: status)]).split(separator: "\n")
        let node = #"{address="h:1",cluster="c",node="1"}"#
        #expect(lines.contains("jobboard_repairing\(node) 1") && lines.contains("jobboard_log_missing_blocks\(node) 7"))
        #expect(!lines.contains { $0.hasPrefix("jobboard_raft_") || $0.hasPrefix("jobboard_jobs") && !$0.hasPrefix("#") })
    }
}
