import Foundation
import JobboardClient
import Testing
import WireFormat

/// A node that is started with a cluster file of other nodes harms nobody.
@Suite(.serialized) struct WrongFilesTests {
    /// The cluster file with these nodes of it alone, and with further ones.
    private static func file(_ cluster: TestCluster, ids: [Int], adding more: [Int] = []) throws -> String {
        let data = try Data(contentsOf: cluster.folder.appending(path: "cluster.json"))
        var file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let nodes = try #require(file["nodes"] as? [[String: Any]])
        file["nodes"] =
            nodes.filter { ids.contains($0["id"] as? Int ?? 0) }
            + more.map { ["id": $0, "host": "127.0.0.1", "peer_port": 22_900 + 2 * $0, "client_port": 22_901 + 2 * $0] }
        let path = cluster.folder.appending(path: "wrong-\(UUID().uuidString).json")
        try JSONSerialization.data(withJSONObject: file).write(to: path)
        return path.path
    }

    private static func serve(
        _ cluster: TestCluster, _ file: String, node: Int, _ options: [String] = []
    ) throws -> (status: Int32, output: String, errors: String) {
        try TestCluster.run(
            ["serve", "--config", file, "--node", "\(node)", "--data", cluster.dataFolder(node).path] + options)
    }

    @Test(.timeLimit(.minutes(3))) func `a node started alone by mistake is refused, and the cluster goes on with it`()
        async throws
    {
        let cluster = try await TestCluster(nodes: 3)
        let client = try JobboardClient(nodes: cluster.addresses)
        for number in 0..<20 { _ = try await client.post(NewJob(name: "job-\(number)"), timeout: .seconds(30)) }
        #expect(cluster.stop(3) == 0)
        for (file, list) in [
            (try Self.file(cluster, ids: [3]), "node 3"),
            (try Self.file(cluster, ids: [1, 2, 3], adding: [4, 5]), "nodes 1, 2, 3, 4, 5"),
        ] {
            let refused = try Self.serve(cluster, file, node: 3)
            #expect(refused.status == 2)
            #expect(
                refused.errors.contains("it belongs to a cluster of nodes 1, 2, 3, and this node was started as one of \(list);"),
                "\(refused.errors)")
            #expect(refused.errors.contains("give node 3 the cluster file of the other nodes"))
        }
        try cluster.start(3)
        try await eventually("node 3 has all jobs") {
            let third = try JobboardClient(nodes: [cluster.addresses[2]])
            let count = try await third.count(fresh: false, timeout: .seconds(1))
            await third.shutdown()
            return count == 20
        }
        for node in 1...2 { #expect(cluster.process(of: node) != nil, "node \(node) has stopped") }
        await client.shutdown()
    }

    /// Its folder is empty, so nothing on its disk contradicts the file.
    @Test(.timeLimit(.minutes(3))) func `a node of five among three is refused by name on both sides`() async throws {
        let cluster = try await TestCluster(nodes: 3)
        let client = try JobboardClient(nodes: cluster.addresses)
        _ = try await client.post(NewJob(name: "one"), timeout: .seconds(30))
        cluster.kill(3)
        try FileManager.default.removeItem(at: cluster.dataFolder(3))
        let file = try Self.file(cluster, ids: [1, 2, 3], adding: [4, 5])
        let checked = try Self.serve(cluster, file, node: 3, ["--check"])
        #expect(checked.status == 2)
        #expect(checked.output.contains("WRONG node 1 at 127.0.0.1:"), "\(checked.output)")
        #expect(checked.output.contains("node 4 at 127.0.0.1:22908: does not answer"))
        try cluster.start(3, file: file)
        try await eventually("node 1 names node 3") {
            cluster.words(of: 1).contains("node 3 has another cluster file than the majority")
        }
        try await eventually("node 3 names the difference") {
            cluster.words(of: 3).contains("the cluster files of node 1 and of this node, 3, differ")
        }
        cluster.kill(3)
        _ = try await client.post(NewJob(name: "two"), timeout: .seconds(30))
        await client.shutdown()
    }

    @Test(.timeLimit(.minutes(3))) func `a data folder that is replaced under a running node ends it with one line`() async throws
    {
        let cluster = try await TestCluster(nodes: 3)
        let client = try JobboardClient(nodes: cluster.addresses)
        _ = try await client.post(NewJob(name: "one"), timeout: .seconds(30))
        let folder = cluster.dataFolder(2)
        try FileManager.default.moveItem(at: folder, to: cluster.folder.appending(path: "moved"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await eventually("node 2 ends") { cluster.process(of: 2) == nil }
        #expect(cluster.words(of: 2).contains("the data folder was removed or replaced while the node was using it"))
        // Nothing was lost: the folder is put back.
        try FileManager.default.removeItem(at: folder)
        try FileManager.default.moveItem(at: cluster.folder.appending(path: "moved"), to: folder)
        try cluster.start(2)
        cluster.kill(1)
        _ = try await client.post(NewJob(name: "two"), timeout: .seconds(30))
        await client.shutdown()
    }

    @Test(.timeLimit(.minutes(3))) func `a check disturbs no running node`() async throws {
        let cluster = try await TestCluster(nodes: 3)
        let client = try JobboardClient(nodes: cluster.addresses)
        _ = try await client.post(NewJob(name: "one"), timeout: .seconds(30))
        let right = cluster.folder.appending(path: "cluster.json").path
        let before = try await client.status(of: cluster.addresses[0], timeout: .seconds(10)).term
        // Streams broke when the cluster had begun, and were dialled again.
        let breaks = (1...3).map { cluster.words(of: $0).components(separatedBy: "disconnected").count }
        for node in 1...3 {
            try await eventually("node \(node) finds all right") {
                let checked = try Self.serve(cluster, right, node: node, ["--check"])
                return checked.status == 0
                    && checked.output.components(separatedBy: "has the same secret and lists the same nodes").count == 3
                    && checked.output.contains("belongs to node \(node) of cluster \"test\"")
            }
        }
        let alone = try Self.serve(cluster, try Self.file(cluster, ids: [1]), node: 1, ["--check"])
        #expect(alone.status == 2 && alone.output.contains("WRONG data folder"), "\(alone.output)")
        #expect((1...3).map { cluster.words(of: $0).components(separatedBy: "disconnected").count } == breaks)
        #expect(try await client.status(of: cluster.addresses[0], timeout: .seconds(10)).term == before)
        await client.shutdown()
    }
}
