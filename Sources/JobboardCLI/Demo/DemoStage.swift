import Foundation
import JobboardClient
import Synchronization
import WireFormat

/// The demo's folder and the processes in it.
final class DemoStage: Sendable {
    let folder: String
    let nodeCount: Int
    let addresses: [String]
    private let isKept: Bool
    private let processes = Mutex<[DemoProcess]>([])

    /// A folder with a cluster file in it.
    /// - Parameter data: a folder to use; nil for a temporary one.
    init(nodes: Int, data: String?, isKept: Bool) throws(CommandFailure) {
        let ports = try FreePorts.find(2 * nodes)
        nodeCount = nodes
        self.isKept = isKept || data != nil
        if let data {
            folder = data
            guard (try? FileManager.default.contentsOfDirectory(atPath: data))?.isEmpty ?? true else {
                throw .usage("--data: \(data) is not empty")
            }
            do { try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true) } catch {
                throw .usage("--data: can't make \(data)")
            }
        } else {
            var template = Array("\(FileManager.default.temporaryDirectory.path)/jobboard-demo-XXXXXX".utf8CString)
            guard let path = mkdtemp(&template) else { throw .failed("can't make a temporary folder") }
            folder = String(cString: path)
        }
        addresses = (0..<nodes).map { "127.0.0.1:\(ports[2 * $0 + 1])" }
        let code = Self.write(Self.clusterFile(ports), to: "\(folder)/cluster.json")
        guard code == 0 else { throw .failed("can't write into \(folder): \(String(cString: strerror(code)))") }
    }

    private static func clusterFile(_ ports: [Int]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("cluster", "demo")
        // The verdict counts all that ever happened, so the logs must not be compacted.
        writer.field("snapshot_bytes", UInt64(1 << 40))
        writer.key("nodes")
        writer.beginArray()
        for node in 0..<ports.count / 2 {
            writer.beginObject()
            writer.field("id", UInt64(node + 1))
            writer.field("host", "127.0.0.1")
            writer.field("peer_port", UInt64(ports[2 * node]))
            writer.field("client_port", UInt64(ports[2 * node + 1]))
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return writer.bytes
    }

    private static func write(_ bytes: [UInt8], to path: String) -> Int32 {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { return errno }
        defer { close(file) }
        return Console.write(bytes, to: file)
    }

    var clusterFile: String { "\(folder)/cluster.json" }
    var jobFile: String { "\(folder)/jobs.ndjson" }
    func dataFolder(ofNode node: UInt64) -> String { "\(folder)/node-\(node)" }
    func record(ofWorker number: Int) -> String { "\(folder)/worker-\(number).ndjson" }

    func startNode(_ node: UInt64) throws(CommandFailure) -> DemoProcess {
        try start(
            "node-\(node)",
            ["serve", "--config", clusterFile, "--node", "\(node)", "--data", dataFolder(ofNode: node)])
    }

    func startPosting() throws(CommandFailure) -> DemoProcess {
        try start("post", ["post", "--from", jobFile, "--config", clusterFile, "--timeout", "30s"])
    }

    func startWorker(_ number: Int, concurrency: Int) throws(CommandFailure) -> DemoProcess {
        try start(
            "worker-\(number)",
            [
                "work", "--who", "worker-\(number)", "-n", "\(concurrency)", "--just-consume", "--record",
                record(ofWorker: number), "--config", clusterFile, "--timeout", "30s",
            ])
    }

    private func start(_ name: String, _ arguments: [String]) throws(CommandFailure) -> DemoProcess {
        let process = try DemoProcess(name, arguments, log: "\(folder)/\(name).log")
        processes.withLock { $0.append(process) }
        return process
    }

    func makeClient(timeout: Duration) throws -> JobboardClient {
        try ClusterOptions.makeClient(addresses, cluster: "demo", timeout: timeout)
    }

    /// Ends what still runs, workers before nodes, and takes the folder away unless it is to be kept.
    func clear() async {
        let running = processes.withLock { $0 }.filter { $0.ended == nil }
        for process in running where !process.name.hasPrefix("node") { _ = await process.stop() }
        await withTaskGroup(of: Void.self) { group in
            for process in running { group.addTask { _ = await process.stop() } }
        }
        if !isKept { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// Where to look afterwards; nil when the folder goes.
    var keptFolder: String? { isKept ? folder : nil }
}
