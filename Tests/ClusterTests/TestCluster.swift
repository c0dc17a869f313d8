import Foundation
import Glibc
import JobboardClient
import NIOCore
import NIOPosix

/// Real `jobboard serve` processes on loopback, in a folder of their own; ended with the test.
final class TestCluster {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// The command that the tests' own build made, beside the tests.
    static let command = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "jobboard")

    let folder: URL
    let addresses: [String]
    let peerPorts: [Int]
    /// A file for each node, all alike unless their streams pass through proxies.
    private let files: [URL]
    private var processes: [Int: Process] = [:]

    /// `starting`: those that are started, all unless said. `descriptors`: as many each may have. `prepare` is called with each data folder before its node starts.
    init(
        nodes: Int, starting: [Int]? = nil, peers: ProxiedPeers? = nil, descriptors: Int? = nil,
        prepare: (URL) throws -> Void = { _ in }
    ) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "jobboard-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let ports = try await Self.freePorts(2 * nodes)
        addresses = (0..<nodes).map { "127.0.0.1:\(ports[2 * $0])" }
        peerPorts = (0..<nodes).map { ports[2 * $0 + 1] }
        let folder = folder
        files = (1...nodes).map { folder.appending(path: peers == nil ? "cluster.json" : "cluster-\($0).json") }
        for (place, file) in files.enumerated() {
            let list = (1...nodes).map { node in
                let port = ports[2 * node - 1]
                let shown = peers?.port(from: place + 1, to: node, port) ?? port
                return #"{"id": \#(node), "host": "127.0.0.1", "client_port": \#(ports[2 * node - 2]), "peer_port": \#(shown)}"#
            }
            let text = #"{"cluster": "test", "segment_bytes": 8388608, "nodes": [\#(list.joined(separator: ", "))]}"#
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        for node in starting ?? Array(1...nodes) {
            try prepare(dataFolder(node))
            try start(node, descriptors: descriptors)
        }
    }

    deinit {
        for process in processes.values {
            Glibc.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: folder)
    }

    func dataFolder(_ node: Int) -> URL { folder.appending(path: "node-\(node)") }

    /// `errors`: where its standard error goes, if not into a file. `descriptors`: as many it may have,
    /// and can't raise. `file`: its cluster file, if not that of all.
    func start(
        _ node: Int, options: [String] = [], errors: FileHandle? = nil, descriptors: Int? = nil, file: String? = nil
    ) throws {
        let process = Process()
        let arguments =
            ["serve", "--config", file ?? files[node - 1].path, "--node", "\(node)", "--data", dataFolder(node).path] + options
        if let descriptors {
            process.executableURL = URL(filePath: "/bin/bash")
            process.arguments = ["-c", "ulimit -n \(descriptors) && exec \"$0\" \"$@\"", Self.command.path] + arguments
        } else {
            process.executableURL = Self.command
            process.arguments = arguments
        }
        process.standardError = try errors ?? Self.appending(to: folder.appending(path: "node-\(node).log"))
        try process.run()
        processes[node] = process
    }

    /// The process of a node that runs; it changes with each start.
    func process(of node: Int) -> Int32? {
        processes[node].flatMap { $0.isRunning ? $0.processIdentifier : nil }
    }

    /// What the node said on standard error.
    func words(of node: Int) -> String {
        (try? String(contentsOf: folder.appending(path: "node-\(node).log"), encoding: .utf8)) ?? ""
    }

    /// SIGKILL: no word of farewell.
    func kill(_ node: Int) {
        end(node, with: SIGKILL)
    }

    /// SIGTERM; the exit code.
    @discardableResult
    func stop(_ node: Int) -> Int32 {
        end(node, with: SIGTERM)
    }

    @discardableResult
    private func end(_ node: Int, with signal: Int32) -> Int32 {
        guard let process = processes.removeValue(forKey: node) else { return 0 }
        Glibc.kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Runs the command to its end.
    static func run(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
        try run(command, arguments)
    }

    /// Runs a line of shell to its end; the arguments are `$0`, `$1` and so on.
    static func run(shell line: String, _ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
        try run(URL(filePath: "/bin/bash"), ["-c", line] + arguments)
    }

    private static func run(
        _ command: URL, _ arguments: [String]
    ) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = command
        process.arguments = arguments
        let folder = FileManager.default.temporaryDirectory
        let (out, err) = (folder.appending(path: UUID().uuidString), folder.appending(path: UUID().uuidString))
        defer { for file in [out, err] { try? FileManager.default.removeItem(at: file) } }
        process.standardOutput = try appending(to: out)
        process.standardError = try appending(to: err)
        try process.run()
        process.waitUntilExit()
        return (
            process.terminationStatus, try String(contentsOf: out, encoding: .utf8), try String(contentsOf: err, encoding: .utf8)
        )
    }

    private static func appending(to file: URL) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: file.path) {
            _ = FileManager.default.createFile(atPath: file.path, contents: nil)
        }
        let handle = try FileHandle(forWritingTo: file)
        try handle.seekToEnd()
        return handle
    }

    /// Ports that nobody listens on at this moment.
    private static func freePorts(_ count: Int) async throws -> [Int] {
        var channels: [any Channel] = []
        for _ in 0..<count {
            channels.append(
                try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get())
        }
        let ports = channels.compactMap { $0.localAddress?.port }
        for channel in channels { try await channel.close() }
        return ports
    }
}

/// Asks until the answer is right, or throws when the time is up.
///
/// A pause that took long was not the cluster's: tests that compute for minutes had all threads. Of each such one only a
/// second counts, so that nobody gives up without having looked again.
func eventually(
    within limit: Duration = .seconds(30), _ what: String, _ isRight: () async throws -> Bool
) async throws {
    var spent = Duration.zero
    var last = ContinuousClock.now
    while true {
        if (try? await isRight()) == true { return }
        guard spent < limit else { throw TestCluster.Failure(description: "not in time: \(what)") }
        try await Task.sleep(for: .milliseconds(10))
        let now = ContinuousClock.now
        spent += min(now - last, .seconds(1))
        last = now
    }
}
