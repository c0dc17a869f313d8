import Foundation
import Jobboard
import JobboardClient
import NIOCore
import NIOPosix
import WireFormat

/// The cluster that is measured, and the clients that measure it.
final class BenchStage: Sendable {
    private static let patience: Duration = .seconds(60)
    private static let held = 500

    let addresses: [String]
    let clients: [JobboardClient]
    /// A client's tasks live on its event loop, as those of a program with much to do would.
    let executors: [EventLoopTaskExecutor]
    /// The nodes, where they are our children.
    private let nodes: [DemoProcess]
    /// Of the nodes that run on this machine.
    private let pids: [Int32]

    init(_ addresses: [String], cluster: String, nodes: [DemoProcess], board: String, connections: Int, timeout: Duration) throws
    {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: min(connections, System.coreCount))
        let loops = (0..<connections).map { _ in group.next() }
        self.addresses = addresses
        self.nodes = nodes
        pids = nodes.isEmpty ? addresses.compactMap(ListeningProcess.pid(at:)) : nodes.map(\.pid)
        executors = loops.map(EventLoopTaskExecutor.init)
        clients = try loops.map {
            try ClusterOptions.makeClient(addresses, cluster: cluster, board: board, timeout: timeout, eventLoopGroup: $0)
        }
    }

    func shutdown() async {
        for client in clients { await client.shutdown() }
    }

    /// Waits until the cluster answers. Throws what it said last when it never does, or when a node has ended.
    func awaken() async throws {
        let end = ContinuousClock.now + Self.patience
        while true {
            for node in nodes where node.ended != nil {
                throw CommandFailure.failed("\(node.name) has ended: \(node.lastWords)")
            }
            do {
                _ = try await clients[0].count(timeout: .seconds(2))
                return
            } catch {
                guard ContinuousClock.now < end else { throw error }
            }
        }
    }

    /// Posts so many jobs that are claimed after all others, and nobody measures that.
    func fill(_ count: Int, details: [UInt8]) async throws {
        var posted = 0
        while posted < count {
            let jobs = (0..<min(Self.held, count - posted)).map { _ in
                NewJob(name: "held", details: details, priority: .veryLow)
            }
            _ = try await clients[0].post(jobs)
            posted += jobs.count
        }
    }

    func spending() async -> BenchSpending {
        var spending = BenchSpending()
        for report in await ClusterStatus.ask(addresses, through: clients[0], timeout: .seconds(5)) {
            if let status = report.status { spending.nodes[status.node] = status }
        }
        for pid in pids { spending.usage[pid] = ProcessUsage.read(pid: pid) }
        spending.client = ProcessUsage.read(pid: getpid())
        return spending
    }
}
