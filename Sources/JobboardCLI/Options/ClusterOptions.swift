import ArgumentParser
import Foundation
import JobboardClient
import NIOCore
import NIOPosix
import NodeServer

/// Which cluster to talk to, and how long to wait for it.
struct ClusterOptions: ParsableArguments {
    static let defaultNode = "127.0.0.1:7201"

    @Option(
        help: ArgumentHelp(
            "Client addresses of the nodes; one is enough to begin with. Default: JOBBOARD_NODES, else \(defaultNode).",
            valueName: "host:port,…"))
    var nodes: String?

    @Option(help: ArgumentHelp("A cluster file to take the client addresses from.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("How long a call may take, such as 500ms, 5s or 2m.", valueName: "duration"))
    var timeout: Duration = .seconds(10)

    func validate() throws {
        if nodes != nil, config != nil { throw ValidationError("--nodes and --config exclude each other") }
        if timeout <= .zero { throw ValidationError("--timeout must be more than nothing") }
    }

    /// Where to find the nodes, and the cluster's name when it is known.
    func addresses() throws -> (addresses: [String], cluster: String) {
        if let config {
            let configuration = try ClusterConfiguration.load(file: config)
            return (configuration.clientAddresses, configuration.cluster)
        }
        let list = nodes ?? ProcessInfo.processInfo.environment["JOBBOARD_NODES"] ?? Self.defaultNode
        let addresses = Self.split(list)
        guard !addresses.isEmpty else { throw CommandFailure.usage("no node is named") }
        return (addresses, "")
    }

    static func split(_ list: String) -> [String] {
        list.split { $0 == "," || $0.isWhitespace }.map(String.init)
    }

    func makeClient(board: String = "default") throws -> JobboardClient {
        let (addresses, cluster) = try addresses()
        return try Self.makeClient(addresses, cluster: cluster, board: board, timeout: timeout)
    }

    static func makeClient(
        _ addresses: [String], cluster: String = "", board: String = "default", timeout: Duration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws -> JobboardClient {
        var options = JobboardClient.Options()
        options.timeout = timeout
        options.cluster = cluster
        return try JobboardClient(nodes: addresses, board: board, options: options, eventLoopGroup: eventLoopGroup)
    }

    /// Runs `body` with a client that is shut down afterwards, whatever happens.
    func withClient<Result>(board: String = "default", _ body: (JobboardClient) async throws -> Result) async throws -> Result {
        let client = try makeClient(board: board)
        do {
            let result = try await body(client)
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }
}

/// Which board is meant.
struct BoardOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The board.", valueName: "name"))
    var board = "default"
}
