import Foundation
import Glibc
import JobboardClient
import Testing

/// More connections that say nothing than a node has descriptors.
@Suite(.serialized) struct SilentConnectionTests {
    private static let descriptors = 1024
    private static let flood = 1100

    /// Nodes ended with "the disk failed: Too many open files", all three in 4 s.
    @Test(.timeLimit(.minutes(3))) func `silent connections to all ports of all nodes neither end a node nor keep a client out`()
        async throws
    {
        let cluster = try await TestCluster(nodes: 3, descriptors: Self.descriptors)
        let client = try JobboardClient(nodes: cluster.addresses)
        for number in 1...5 { _ = try await client.post(NewJob(name: "before-\(number)"), timeout: .seconds(30)) }
        try Self.raiseLimit(to: 6 * Self.flood + 512)
        let ports = cluster.peerPorts + cluster.addresses.compactMap { Int($0.split(separator: ":").last ?? "") }
        try #require(ports.count == 6)
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        // Round by round, so that all ports fill up at the same time, with calls of the client between them.
        for round in 1...Self.flood {
            for port in ports { sockets.append(try Self.connect(port)) }
            guard round.isMultiple(of: 100) else { continue }
            _ = try await client.post(NewJob(name: "during-\(round)"), timeout: .seconds(30))
        }
        let late = try JobboardClient(nodes: cluster.addresses)
        _ = try await late.post(NewJob(name: "newcomer"), timeout: .seconds(30))
        await late.shutdown()
        for socket in sockets { close(socket) }
        sockets = []
        for number in 1...5 { _ = try await client.post(NewJob(name: "after-\(number)"), timeout: .seconds(30)) }
        #expect(try await client.count() == 5 + Self.flood / 100 + 1 + 5)
        await client.shutdown()
        for node in 1...3 {
            #expect(cluster.process(of: node) != nil, "node \(node) has ended: \(cluster.words(of: node).suffix(300))")
            #expect(!cluster.words(of: node).contains("the disk failed"))
        }
    }

    private static func raiseLimit(to count: Int) throws {
        var limit = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        guard limit.rlim_cur < count else { return }
        limit.rlim_cur = rlim_t(count)
        limit.rlim_max = max(limit.rlim_max, rlim_t(count))
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, "this test needs \(count) descriptors")
    }

    /// A connection that is begun; whether the node takes it is the node's affair.
    private static func connect(_ port: Int) throws -> Int32 {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        try #require(file >= 0, "no socket: \(String(cString: strerror(errno)))")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(file, $0, length) }
        }
        return file
    }
}
