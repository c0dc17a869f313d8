import JobboardClient
import Testing
import WireFormat

/// Real nodes whose streams pass through proxies, one for each direction between two of them; datagrams don't get through.
@Suite(.serialized) struct StreamFaultTests {
    /// An altered length turns all that follows into a part of one frame that never ends. Nothing else shows: TCP is well, and
    /// with the stream open nobody dials anew. When the leader then fails, the two that are left can't agree on another.
    ///
    /// `mask`: what is done to the length. The first makes it wait for 8 KiB more, the second for 4 MiB more.
    @Test(.timeLimit(.minutes(2)), arguments: [[0, 0x20, 0, 0], [0, 0, 0x40, 0]] as [[UInt8]])
    func `a corrupted length on a stream is noticed, and a leader is elected when the next node fails`(mask: [UInt8]) async throws
    {
        let proxies = try await ProxiedPeers(nodes: 3)
        let cluster = try await TestCluster(nodes: 3, peers: proxies)
        let client = try JobboardClient(nodes: cluster.addresses)
        _ = try await client.post(NewJob(name: "first"), timeout: .seconds(30))
        let leader = Int(try #require(try await client.status().leader))
        let others = [1, 2, 3].filter { $0 != leader }
        let proxy = proxies[from: others[0], to: others[1]]
        let before = proxy.counts.connections
        proxy.tamper(mask)
        cluster.kill(leader)
        // Elections alone take a second or two.
        let posted = try await client.post(NewJob(name: "second"), timeout: .seconds(30))
        #expect(!posted.duplicate)
        #expect(proxy.counts.tampered == 1)
        #expect(proxy.counts.connections > before, "the stream was not dialled again")
        #expect(cluster.words(of: others[1]).contains("stream of a peer closed"))
        await client.shutdown()
    }
}

/// A proxy for each stream of a cluster.
struct ProxiedPeers {
    private var proxies: [[TamperingProxy?]]

    init(nodes: Int) async throws {
        proxies = []
        for from in 0..<nodes {
            var row: [TamperingProxy?] = []
            for to in 0..<nodes { row.append(from == to ? nil : try await TamperingProxy()) }
            proxies.append(row)
        }
    }

    /// The one on the stream that `from` dials; nodes count from 1.
    subscript(from from: Int, to to: Int) -> TamperingProxy {
        guard let proxy = proxies[from - 1][to - 1] else { preconditionFailure("no stream from \(from) to \(to)") }
        return proxy
    }

    /// The peer port of `to`, whose own is `port`, in the cluster file of `from`.
    func port(from: Int, to: Int, _ port: Int) -> Int {
        guard let proxy = proxies[from - 1][to - 1] else { return port }
        proxy.pass(to: port)
        return proxy.port
    }
}
