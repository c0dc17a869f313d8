import Consensus
import NIOCore

/// Where one node listens and where it sends datagrams, by the addresses that the hosts of the cluster file stand for.
struct NodeNetwork: Sendable {
    let clientAddress: SocketAddress
    let peerAddress: SocketAddress
    /// Where the peers receive datagrams, as far as they can be reached from the node's own socket.
    private(set) var datagramAddresses: [NodeID: SocketAddress] = [:]
    /// Peers without an address of the node's own family, IPv4 or IPv6: what is said to them goes by TCP alone.
    private(set) var otherFamily: [NodeID] = []

    /// Throws when the node must not listen there: on more than loopback, unless the file says so and there is a secret. Asks the
    /// resolver, which may take seconds.
    init(_ configuration: ClusterConfiguration, own: ClusterConfiguration.Node) throws(ConfigurationError) {
        var hosts: [UInt64: HostAddresses] = [:]
        for node in configuration.nodes {
            let addresses = HostAddresses(of: node.host, port: node.peerPort)
            hosts[node.id] = addresses
            guard !configuration.insecure, !addresses.areLoopback else { continue }
            let why = addresses.isKnown ? "would listen on \(node.host)" : "has a host that is not known here, \(node.host),"
            throw ConfigurationError("node \(node.id) \(why) without TLS; only loopback may, unless \"insecure\" is true")
        }
        if configuration.secret == nil, !hosts.values.allSatisfy(\.areLoopback) {
            throw ConfigurationError(
                "\"secret_file\" or \"secret\" is needed where a node listens on more than loopback; `jobboard secret new` makes one"
            )
        }
        guard let peerAddress = hosts[own.id]?.first, let family = HostAddresses.family(of: peerAddress) else {
            throw ConfigurationError("\(own.host), the \"host\" of node \(own.id), is not known here")
        }
        self.peerAddress = peerAddress
        var clientAddress = peerAddress
        clientAddress.port = own.clientPort
        self.clientAddress = clientAddress
        for peer in configuration.nodes where peer.id != own.id {
            if let address = hosts[peer.id]?.first(family) {
                datagramAddresses[NodeID(peer.id)] = address
            } else if hosts[peer.id]?.isKnown == true {
                otherFamily.append(NodeID(peer.id))
            }
        }
    }
}
