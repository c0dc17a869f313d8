import Foundation
import JobboardClient
import NIOCore
import NodeServer
import WireFormat

/// The folder of a run, the cluster file in it, and how its nodes are started: with few descriptors, and with one node's
/// standard error in a pipe that nobody reads when that is asked for.
final class StrangersStage: Sendable {
    static let cluster = "strangers"
    static let stalledNode: UInt64 = 1

    let folder: String
    let nodeCount = 3
    let targets: [AttackScene.Target]
    /// What a node's process may have, hard limit and soft.
    let descriptors: Int
    let hasStalledLog: Bool
    /// Both ends of the pipe that nobody reads are held open, so that its writer waits instead of failing.
    private let pipe: Int32

    /// - Parameters:
    ///   - memoryBytes: what a node may use; it is told a part of that for jobs, where it has such a setting.
    init(descriptors: Int, memoryBytes: UInt64, hasStalledLog: Bool) throws(CommandFailure) {
        var template = Array("\(FileManager.default.temporaryDirectory.path)/jobboard-strangers-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw .failed("can't make a temporary folder") }
        folder = String(cString: path)
        self.descriptors = descriptors
        self.hasStalledLog = hasStalledLog
        let ports = try FreePorts.find(2 * nodeCount)
        targets = (0..<nodeCount).map {
            AttackScene.Target(node: UInt64($0 + 1), clientPort: ports[2 * $0 + 1], peerPort: ports[2 * $0])
        }
        var file = Self.clusterFile(targets, memoryBytes: memoryBytes * 2 / 5)
        if (try? ClusterConfiguration.read(file)) == nil { file = Self.clusterFile(targets, memoryBytes: nil) }
        // It holds the secret.
        let isMade = FileManager.default.createFile(
            atPath: "\(folder)/cluster.json", contents: Data(file), attributes: [.posixPermissions: 0o600])
        guard isMade else {
            throw .failed("can't write into \(folder)")
        }
        guard hasStalledLog else {
            pipe = -1
            return
        }
        let fifo = "\(folder)/node-\(Self.stalledNode).pipe"
        guard mkfifo(fifo, 0o600) == 0 else { throw .failed("can't make a pipe in \(folder)") }
        pipe = open(fifo, O_RDWR | O_CLOEXEC | O_NONBLOCK)
        guard pipe >= 0 else { throw .failed("can't open \(fifo)") }
        // As small as the system allows, so that it is full soon. 1031 is F_SETPIPE_SZ.
        _ = fcntl(pipe, 1031, 4096)
    }

    private static func clusterFile(_ targets: [AttackScene.Target], memoryBytes: UInt64?) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("cluster", cluster)
        writer.field("secret", ClusterSecret.fresh())
        // Small, so that there are snapshots to be loaded again.
        writer.field("segment_bytes", UInt64(8 << 20))
        writer.field("snapshot_bytes", UInt64(16 << 20))
        if let memoryBytes { writer.field("memory_bytes", memoryBytes) }
        writer.key("nodes")
        writer.beginArray()
        for target in targets {
            writer.beginObject()
            writer.field("id", target.node)
            writer.field("host", "127.0.0.1")
            writer.field("peer_port", UInt64(target.peerPort))
            writer.field("client_port", UInt64(target.clientPort))
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return writer.bytes
    }

    /// Client addresses, of node 1 first.
    var addresses: [String] { targets.map { "127.0.0.1:\($0.clientPort)" } }

    func startNode(_ node: UInt64) throws(CommandFailure) -> DemoProcess {
        let isStalled = hasStalledLog && node == Self.stalledNode
        return try DemoProcess(
            "node-\(node)",
            ["serve", "--config", "\(folder)/cluster.json", "--node", "\(node)", "--data", "\(folder)/node-\(node)"],
            log: "\(folder)/node-\(node).\(isStalled ? "pipe" : "log")",
            through: ["/bin/sh", "-c", "ulimit -Sn \(descriptors) && ulimit -Hn \(descriptors) && exec \"$0\" \"$@\""])
    }

    /// What a node said last; nothing of the one whose log nobody reads.
    func lastWords(of process: DemoProcess) -> String {
        process.log.hasSuffix(".pipe") ? "its log is the pipe that nobody reads" : process.lastWords
    }

    func makeClient(
        board: String = "default", timeout: Duration, eventLoopGroup: any EventLoopGroup
    ) throws -> JobboardClient {
        try ClusterOptions.makeClient(
            addresses, cluster: Self.cluster, board: board, timeout: timeout, eventLoopGroup: eventLoopGroup)
    }

    /// Takes the folder away unless it is to be kept; gives it when it is.
    func close(keep: Bool) -> String? {
        if pipe >= 0 { _ = Foundation.close(pipe) }
        if keep { return folder }
        try? FileManager.default.removeItem(atPath: folder)
        return nil
    }
}
