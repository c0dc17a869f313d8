import Consensus
import NIOCore
import Testing

@testable import NodeServer

@Suite struct NodeNetworkTests {
    private static func cluster(_ hosts: [String], insecure: Bool = false, secret: String? = nil) -> ClusterConfiguration {
        var configuration = ClusterConfiguration(
            cluster: "c",
            nodes: hosts.enumerated().map { place, host in
                .init(id: UInt64(place + 1), host: host, peerPort: 7101 + place, clientPort: 7201 + place)
            })
        configuration.insecure = insecure
        configuration.secret = secret.map { .text($0, file: nil) }
        return configuration
    }

    private func refusal(_ configuration: ClusterConfiguration) -> String {
        do throws(ConfigurationError) {
            _ = try NodeNetwork(configuration, own: configuration.nodes[0])
            return "none"
        } catch {
            return error.description
        }
    }

    @Test(arguments: ["127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1", "localhost", "0:0:0:0:0:0:0:1", "127.1"])
    func `loopback is loopback however it is written`(host: String) {
        #expect(HostAddresses(of: host, port: 1).areLoopback)
        #expect(refusal(Self.cluster([host])) == "none")
    }

    @Test(arguments: [
        ("127.0.0.1.evil.invalid", "has a host that is not known here, 127.0.0.1.evil.invalid, without TLS"),
        ("127.", "without TLS"), ("127.0.0.1 ", "without TLS"),
        ("10.0.0.1", "node 1 would listen on 10.0.0.1 without TLS; only loopback may"), ("0.0.0.0", "would listen on 0.0.0.0"),
        ("::", "would listen on ::"), ("::ffff:10.0.0.1", "would listen on ::ffff:10.0.0.1"), ("128.0.0.1", "would listen on"),
    ]) func `what only looks like loopback is refused`(host: String, part: String) {
        #expect(!HostAddresses(of: host, port: 1).areLoopback)
        let refusal = refusal(Self.cluster([host]))
        #expect(refusal.contains(part), "got \(refusal)")
    }

    @Test func `more than loopback needs a secret besides`() {
        #expect(refusal(Self.cluster(["10.0.0.1"], insecure: true)).contains(#""secret_file" or "secret" is needed"#))
        #expect(refusal(Self.cluster(["10.0.0.1"], insecure: true, secret: "s")) == "none")
        #expect(refusal(Self.cluster(["127.0.0.1", "10.0.0.1", "10.0.0.2"], insecure: true)).contains("is needed"))
        #expect(refusal(Self.cluster(["no-such-host.invalid"], insecure: true, secret: "s")).contains("is not known here"))
    }

    @Test func `datagrams go to peers of the own family alone`() throws {
        let configuration = Self.cluster(["::1", "127.0.0.1", "::1"])
        let network = try NodeNetwork(configuration, own: configuration.nodes[0])
        #expect(network.datagramAddresses.keys.map(\.rawValue) == [3])
        #expect(network.otherFamily == [NodeID(2)])
        #expect(network.clientAddress.port == 7201)
        #expect(network.peerAddress.port == 7101)
    }
}
