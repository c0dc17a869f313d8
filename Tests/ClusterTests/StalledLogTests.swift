import Foundation
import JobboardClient
import Testing

/// Nodes whose standard error leads nowhere.
@Suite(.serialized) struct StalledLogTests {
    /// A line of log was a blocking write on the event loop: such a node did not come up, or stood still at its next line, and
    /// did not end when it was asked to.
    @Test(.timeLimit(.minutes(10))) func `a node whose log nobody reads serves its clients and ends when it is asked to`()
        async throws
    {
        let cluster = try await TestCluster(nodes: 1, starting: [])
        let pipe = try Self.fullPipe()
        try cluster.start(1, errors: pipe.fileHandleForWriting)
        let client = try JobboardClient(nodes: cluster.addresses)
        _ = try await client.post(NewJob(name: "first"), timeout: .seconds(30))
        await client.shutdown()
        try await Self.end(cluster)
        _ = pipe
    }

    @Test(.timeLimit(.minutes(10))) func `a node whose log has lost its reader serves its clients and ends when it is asked to`()
        async throws
    {
        let cluster = try await TestCluster(nodes: 1, starting: [])
        let pipe = Pipe()
        try cluster.start(1, errors: pipe.fileHandleForWriting)
        try pipe.fileHandleForWriting.close()
        try pipe.fileHandleForReading.close()
        let client = try JobboardClient(nodes: cluster.addresses)
        _ = try await client.post(NewJob(name: "first"), timeout: .seconds(30))
        await client.shutdown()
        try await Self.end(cluster)
    }

    private static func end(_ cluster: TestCluster) async throws {
        let process = try #require(cluster.process(of: 1))
        kill(process, SIGTERM)
        try await eventually(within: .seconds(15), "the node has ended") { cluster.process(of: 1) == nil }
        #expect(cluster.stop(1) == 0)
    }

    /// A pipe that takes no further byte.
    private static func fullPipe() throws -> Pipe {
        let pipe = Pipe()
        let file = pipe.fileHandleForWriting.fileDescriptor
        let flags = fcntl(file, F_GETFL)
        try #require(fcntl(file, F_SETFL, flags | O_NONBLOCK) == 0)
        let bytes = [UInt8](repeating: 0, count: 4096)
        while write(file, bytes, bytes.count) > 0 {}
        while write(file, bytes, 1) > 0 {}
        try #require(fcntl(file, F_SETFL, flags) == 0)
        return pipe
    }
}
