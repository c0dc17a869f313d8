import Foundation
import JobboardClient
import Testing
import WireFormat

/// Nodes that have lost what they had.
@Suite(.serialized) struct RejoinTests {
    @Test(.timeLimit(.minutes(3))) func aNodeThatLostItsFolderComesBackWithEverything() async throws {
        let cluster = try await TestCluster(nodes: 3)
        let client = try JobboardClient(nodes: cluster.addresses)
        for number in 0..<50 { _ = try await client.post(NewJob(name: "job-\(number)"), timeout: .seconds(30)) }
        // One of the others is away: what it knows is needed.
        cluster.kill(2)
        cluster.kill(3)
        try FileManager.default.removeItem(at: cluster.dataFolder(3))
        try cluster.start(3, options: ["--rejoin"])
        let log = cluster.folder.appending(path: "node-3.log")
        try await eventually("it says whom it waits for") {
            try String(contentsOf: log, encoding: .utf8).split(separator: "\n").contains {
                $0.contains("still damaged") && $0.contains("waits_for=2")
            }
        }
        // It serves nobody, and whoever comes is sent on.
        let waiting = try await client.status(of: cluster.addresses[2], timeout: .seconds(10))
        #expect(waiting.role == .repairing && waiting.repair.waitsFor == [2] && waiting.repair.reason != nil)
        let table = try TestCluster.run(["status", "--nodes", cluster.addresses[2], "-o", "table"])
        #expect(table.output.contains("repairing") && table.output.contains("waits for node 2"), "\(table.output)")
        let other = try JobboardClient(nodes: [cluster.addresses[2], cluster.addresses[0]])
        // What is committed last, node 1 need not have heard yet.
        #expect(try await other.count(fresh: false, timeout: .seconds(10)) > 0)
        await other.shutdown()
        try cluster.start(2)
        let fresh = try JobboardClient(nodes: [cluster.addresses[2]])
        try await eventually("node 3 has all jobs") { try await fresh.count(fresh: false) == 50 }
        try await eventually("it says what it fetched") {
            try await fresh.status(of: cluster.addresses[2], timeout: .seconds(1)).repair.mendedBlocks > 0
        }
        let metrics = try TestCluster.run(["status", "--nodes", cluster.addresses[2], "--metrics"]).output
        #expect(metrics.contains("jobboard_repairing{address=\"\(cluster.addresses[2])\",cluster=\"test\",node=\"3\"} 0\n"))
        // It counts again: with one more away it makes the majority.
        cluster.kill(1)
        _ = try await client.post(NewJob(name: "afterwards"), timeout: .seconds(30))
        await client.shutdown()
        await fresh.shutdown()
        for node in 2...3 { #expect(cluster.stop(node) == 0) }
        let verdict = try TestCluster.run(["log", "verify", cluster.dataFolder(3).path])
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
    }

    /// Nobody says that it has lost anything: it finds out, and does not vote as if it had never voted.
    @Test(.timeLimit(.minutes(3))) func aNodeWhoseFolderVanishedFindsOutByItself() async throws {
        let cluster = try await TestCluster(nodes: 3)
        let client = try JobboardClient(nodes: cluster.addresses)
        for number in 0..<20 { _ = try await client.post(NewJob(name: "job-\(number)"), timeout: .seconds(30)) }
        cluster.kill(2)
        cluster.kill(3)
        try FileManager.default.removeItem(at: cluster.dataFolder(3))
        try cluster.start(3)
        let log = cluster.folder.appending(path: "node-3.log")
        try await eventually("it says that it has lost its log") {
            try String(contentsOf: log, encoding: .utf8).contains("has lost its log")
        }
        // Node 1 gets no majority by it.
        let waiting = try await client.status(of: cluster.addresses[2], timeout: .seconds(10))
        #expect(waiting.role == .repairing && waiting.repair.waitsFor == [2])
        try cluster.start(2)
        let fresh = try JobboardClient(nodes: [cluster.addresses[2]])
        try await eventually("node 3 has all jobs") { try await fresh.count(fresh: false) == 20 }
        await client.shutdown()
        await fresh.shutdown()
        for node in 1...3 { #expect(cluster.stop(node) == 0) }
    }

    /// Only all of them can say that there is nothing to lose; or an operator.
    @Test(.timeLimit(.minutes(3))) func aClusterBeginsWhenAllItsNodesAreThereOrItIsToldTo() async throws {
        let cluster = try await TestCluster(nodes: 3, starting: [1, 2])
        let client = try JobboardClient(nodes: cluster.addresses)
        try await eventually("both wait for node 3") {
            for address in cluster.addresses[..<2] {
                guard try await client.status(of: address, timeout: .seconds(1)).repair.waitsFor == [3] else { return false }
            }
            return true
        }
        for node in 1...2 { #expect(cluster.stop(node) == 0) }
        for node in 1...2 { try cluster.start(node, options: ["--begin"]) }
        _ = try await client.post(NewJob(name: "first"), timeout: .seconds(30))
        // The third one comes late.
        try cluster.start(3)
        let late = try JobboardClient(nodes: [cluster.addresses[2]])
        try await eventually("node 3 has the job") { try await late.count(fresh: false) == 1 }
        await client.shutdown()
        await late.shutdown()
        for node in 1...3 { #expect(cluster.stop(node) == 0) }
    }

    @Test func aNodeThatIsAloneHasNobodyToRejoin() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let result = try TestCluster.run(["serve", "--data", folder.path, "--rejoin"])
        #expect(result.status == 2 && result.errors.contains("nobody to rejoin"), "\(result.errors)")
    }
}
