import Foundation
import JobboardClient
import NodeServer
import Synchronization
import WireFormat

/// The folder of a run, and where its nodes and their data are.
final class ChaosStage: Sendable {
    static let cluster = "chaos"
    private static let prefix = "jobboard-chaos-"

    let folder: String
    let nodeCount: Int
    /// Client addresses, of node 1 first.
    let addresses: [String]
    /// Nil on plain loopback.
    let network: ChaosNetwork?
    /// By node, from 1 on; empty on plain loopback.
    let disks: [ChaosDisk]
    private let lock: Int32
    private let isGiven: Bool

    /// - Parameters:
    ///   - data: an empty folder to use; nil for a temporary one.
    ///   - isEnclosed: this process is in namespaces of its own.
    init(nodes: Int, data: String?, isEnclosed: Bool) throws(CommandFailure) {
        nodeCount = nodes
        isGiven = data != nil
        Self.removeDeadRuns()
        let folder: String
        if let data { folder = try Self.adopt(data) } else { folder = try Self.makeTemporary() }
        self.folder = folder
        lock = open("\(folder)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else { throw .failed("\(folder) is in use") }
        network = isEnclosed ? try ChaosNetwork(nodes: nodes, folder: folder) : nil
        var disks: [ChaosDisk] = []
        if isEnclosed {
            for node in 1...nodes {
                disks.append(try ChaosDisk(folder: "\(folder)/node-\(node)", scratch: "\(folder)/tool.log"))
            }
        }
        self.disks = disks
        let hosts = (1...nodes).map { [network] in network?.address(of: $0) ?? "127.0.0.1" }
        let ports = isEnclosed ? Array(repeating: [7101, 7201], count: nodes).flatMap(\.self) : try FreePorts.find(2 * nodes)
        addresses = hosts.enumerated().map { "\($1):\(ports[2 * $0 + 1])" }
        let file = Self.clusterFile(hosts, ports)
        // It holds the secret.
        let isMade = FileManager.default.createFile(
            atPath: "\(folder)/cluster.json", contents: Data(file), attributes: [.posixPermissions: 0o600])
        guard isMade else {
            throw .failed("can't write into \(folder)")
        }
    }

    private static func adopt(_ path: String) throws(CommandFailure) -> String {
        guard (try? FileManager.default.contentsOfDirectory(atPath: path))?.isEmpty ?? true else {
            throw .usage("--data: \(path) is not empty")
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .usage("--data: can't make \(path)")
        }
        return URL(filePath: path).path
    }

    private static func makeTemporary() throws(CommandFailure) -> String {
        var template = Array("\(FileManager.default.temporaryDirectory.path)/\(prefix)XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw .failed("can't make a temporary folder") }
        return String(cString: path)
    }

    /// A run that was killed leaves its folder; nobody holds the lock in it any more. What is to be kept has no lock.
    private static func removeDeadRuns() {
        let place = FileManager.default.temporaryDirectory.path
        for name in (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? [] where name.hasPrefix(prefix) {
            let file = open("\(place)/\(name)/lock", O_RDWR | O_CLOEXEC)
            guard file >= 0 else { continue }
            if flock(file, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(atPath: "\(place)/\(name)") }
            _ = Foundation.close(file)
        }
    }

    private static func clusterFile(_ hosts: [String], _ ports: [Int]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("cluster", cluster)
        // The network is private, and so is this.
        writer.field("insecure", true)
        writer.field("secret", ClusterSecret.fresh())
        // As small as they may be, so that logs are compacted again and again.
        writer.field("segment_bytes", UInt64(8 << 20))
        writer.field("snapshot_bytes", UInt64(256 << 10))
        writer.key("nodes")
        writer.beginArray()
        for (place, host) in hosts.enumerated() {
            writer.beginObject()
            writer.field("id", UInt64(place + 1))
            writer.field("host", host)
            writer.field("peer_port", UInt64(ports[2 * place]))
            writer.field("client_port", UInt64(ports[2 * place + 1]))
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return writer.bytes
    }

    var historyFile: String { "\(folder)/history.jsonl" }

    func dataFolder(ofNode node: Int) -> String {
        disks.isEmpty ? "\(folder)/node-\(node)/data" : disks[node - 1].dataFolder
    }

    /// What the node says.
    func outputFile(ofNode node: Int) -> String { "\(folder)/node-\(node).log" }

    func startNode(_ node: Int) throws(CommandFailure) -> DemoProcess {
        try DemoProcess(
            "node-\(node)",
            ["serve", "--config", "\(folder)/cluster.json", "--node", "\(node)", "--data", dataFolder(ofNode: node)],
            log: outputFile(ofNode: node), through: network?.wrapper(ofNode: node) ?? [])
    }

    /// - Parameter place: which node it begins with, counted round from 0; it finds the others by itself.
    func makeClient(beginningWith place: Int, timeout: Duration) throws -> JobboardClient {
        try ClusterOptions.makeClient([addresses[place % nodeCount]], cluster: Self.cluster, timeout: timeout)
    }

    /// Takes the folder away, or what is on the disks into it: gives the folder where all is to be found.
    func close(keep: Bool) -> String? {
        for (place, disk) in disks.enumerated() {
            if keep { try? FileManager.default.copyItem(atPath: disk.dataFolder, toPath: "\(folder)/data-\(place + 1)") }
            disk.remove()
        }
        defer { _ = Foundation.close(lock) }
        guard keep || isGiven else {
            try? FileManager.default.removeItem(atPath: folder)
            return nil
        }
        // What has no lock is not taken for a dead run's.
        _ = unlink("\(folder)/lock")
        return folder
    }
}
