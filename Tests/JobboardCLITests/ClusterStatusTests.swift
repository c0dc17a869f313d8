import Jobboard
import JobboardClient
import Testing
import WireFormat

@testable import JobboardCLI

@Suite struct ClusterStatusTests {
    private static func report(_ node: UInt64, _ role: NodeStatus.Role, term: UInt64 = 3) -> ClusterStatus.Report {
        var status = NodeStatus(cluster: "c", node: node, role: role, term: term)
        status.members = [1, 2, 3].map {
            .init(node: $0, clientAddress: "h:\($0)", reachable: true, datagrams: true, durable: 0)
        }
        return .init(address: "h:\(node)", status: status)
    }

    private static func down(_ node: UInt64, _ message: String = "no answer in time; connection refused") -> ClusterStatus.Report
    {
        .init(address: "h:\(node)", error: JobboardError(.unavailable, message))
    }

    @Test func `a cluster with a leader and a majority is well`() {
        #expect(ClusterStatus.failure([Self.report(1, .leader), Self.report(2, .follower), Self.down(3)]) == nil)
        #expect(ClusterStatus.failure([Self.report(1, .follower), Self.report(2, .leader), Self.report(3, .repairing)]) == nil)
    }

    @Test func `without an answer, a majority or a leader the command ends with 5 and says which`() {
        let cases: [([ClusterStatus.Report], String)] = [
            ([Self.down(1), Self.down(2)], "unavailable"),
            ([Self.report(1, .leader), Self.down(2), Self.down(3)], "no_majority"),
            ([Self.report(1, .repairing), Self.report(2, .repairing), Self.report(3, .repairing)], "no_majority"),
            ([Self.report(1, .follower), Self.report(2, .candidate, term: 4)], "no_leader"),
            ([Self.report(1, .leader, term: 3), Self.report(2, .follower, term: 4)], "no_leader"),
        ]
        for (reports, code) in cases {
            let failure = ClusterStatus.failure(reports)
            #expect(failure?.code == code && failure?.status == .unavailable)
        }
    }

    @Test(arguments: [
        ("no answer in time; connection refused", NodeTrouble.unreachable),
        ("no answer in time; no connection within 1000 ms", .unreachable),
        ("no answer in time; h:1 does not greet", .hung),
        ("no answer in time; no node was reached yet", .hung),
        ("no answer in time; connection closed", .refused),
        ("no answer in time; h:1 belongs to cluster 'other'", .refused),
    ])
    func `dead, hung and refusing nodes are told apart`(message: String, trouble: NodeTrouble) {
        #expect(Self.down(1, message).trouble == trouble)
        #expect(ClusterStatus.table([Self.down(1, message)]).contains(trouble.rawValue))
    }

    @Test func `what was repaired long ago is no damage`() {
        var report = Self.report(1, .leader)
        report.status?.repair.mendedBlocks = 3
        report.status?.repair.mendedSnapshots = 1
        #expect(!ClusterStatus.table([report]).contains("mended"))
        report.status?.repair.missingBlocks = 2
        #expect(ClusterStatus.table([report]).contains("2 blocks missing"))
    }
}
