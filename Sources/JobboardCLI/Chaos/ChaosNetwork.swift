import Foundation

/// A network of our own: each node in a network namespace, joined by a bridge in the one that this process is in, and a
/// packet filter at each receiver.
///
/// It needs a private mount and network namespace around it (`ChaosEnclosure`), and vanishes with them.
struct ChaosNetwork: Sendable {
    private static let bridge = "chaos"

    private let nodes: Int
    private let folder: String

    /// Sets all of it up.
    /// - Parameter folder: for the rules of the packet filters.
    init(nodes: Int, folder: String) throws(CommandFailure) {
        self.nodes = nodes
        self.folder = folder
        // Named namespaces are files in /run/netns: in a /run that nobody else sees.
        try run(["mount", "-t", "tmpfs", "-o", "size=1m", "chaos-run", "/run"])
        try run(["ip", "link", "set", "lo", "up"])
        try run(["ip", "link", "add", Self.bridge, "type", "bridge"])
        try run(["ip", "address", "add", "\(address(of: LinkCuts.clients))/24", "dev", Self.bridge])
        try run(["ip", "link", "set", Self.bridge, "up"])
        for node in 1...nodes { try join(node) }
    }

    private func join(_ node: Int) throws(CommandFailure) {
        let (space, outer) = (Self.space(of: node), "node\(node)")
        try run(["ip", "netns", "add", space])
        try run(["ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space])
        try run(["ip", "link", "set", outer, "master", Self.bridge, "up"])
        try run(["ip", "-n", space, "address", "add", "\(address(of: node))/24", "dev", "eth0"])
        try run(["ip", "-n", space, "link", "set", "lo", "up"])
        try run(["ip", "-n", space, "link", "set", "eth0", "up"])
        // The system would go on telling others that a dead node's connections are closed, until they hear it. A machine
        // that loses power does not: after two tries it is to be silent.
        try run(wrapper(ofNode: node) + ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/tcp_orphan_retries"])
    }

    private static func space(of node: Int) -> String { "node-\(node)" }

    /// Of a node, or of the clients.
    func address(of party: Int) -> String {
        "10.203.7.\(party == LinkCuts.clients ? 254 : party)"
    }

    /// What has to stand before a command that is to run in the node's namespace.
    func wrapper(ofNode node: Int) -> [String] {
        node == LinkCuts.clients ? [] : ["nsenter", "--net=/run/netns/\(Self.space(of: node))"]
    }

    /// From now on exactly these packets are dropped.
    func apply(_ cuts: LinkCuts) throws(CommandFailure) {
        for party in 0...nodes {
            let file = "\(folder)/filter-\(party).nft"
            let text = Data(cuts.rules(of: party, address: address(of:)).utf8)
            guard FileManager.default.createFile(atPath: file, contents: text) else { throw .failed("can't write \(file)") }
            try run(wrapper(ofNode: party) + ["nft", "-f", file])
        }
    }

    private func run(_ command: [String]) throws(CommandFailure) {
        try ChaosTool.run(command, scratch: "\(folder)/tool.log")
    }
}
