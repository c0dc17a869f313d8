/// Which packets are dropped, between whom. A pure value.
///
/// A party is a node by its id, or `clients`: the harness itself, in which all clients live.
struct LinkCuts: Equatable, Sendable {
    enum Traffic: String, Sendable {
        case all
        /// UDP alone.
        case datagrams = "UDP"
        /// TCP alone.
        case streams = "TCP"
    }

    /// What `from` sends and `to` does not get.
    struct Cut: Hashable, Sendable {
        var from: Int
        var to: Int
        var traffic: Traffic = .all
    }

    static let clients = 0

    private(set) var cuts: Set<Cut> = []

    /// No packet of one to the other.
    mutating func cut(from: Int, to: Int, _ traffic: Traffic = .all) {
        precondition(from != to, "nobody is cut off from himself")
        cuts.insert(Cut(from: from, to: to, traffic: traffic))
    }

    mutating func cutBothWays(_ one: Int, _ other: Int, _ traffic: Traffic = .all) {
        cut(from: one, to: other, traffic)
        cut(from: other, to: one, traffic)
    }

    /// Both ways, and well enough to agree: streams take over for datagrams, nothing takes over for streams.
    private func isLinked(_ one: Int, _ other: Int) -> Bool {
        !cuts.contains { cut in
            cut.traffic != .datagrams && [cut.from, cut.to].sorted() == [min(one, other), max(one, other)]
        }
    }

    /// True when more than half of all nodes are up, each linked to each other one of them, and clients reach all that are up:
    /// nobody but the leader can serve them, and it does not make way for one that they could reach.
    /// - Parameter up: those that run.
    func hasConnectedMajority(of nodes: Int, up: Set<Int>) -> Bool {
        guard up.allSatisfy({ isLinked($0, Self.clients) }) else { return false }
        let able = up.sorted()
        return (0..<1 << able.count).contains { choice in
            let chosen = able.indices.filter { choice >> $0 & 1 == 1 }.map { able[$0] }
            guard chosen.count > nodes / 2 else { return false }
            return chosen.allSatisfy { one in chosen.allSatisfy { one == $0 || isLinked(one, $0) } }
        }
    }

    /// What the packet filter of one party has to drop, as nftables reads it.
    func rules(of party: Int, address: (Int) -> String) -> String {
        var text = "table ip chaos\ndelete table ip chaos\ntable ip chaos {\n  chain in {\n"
        text += "    type filter hook input priority 0; policy accept;\n"
        for cut in cuts.sorted(by: { ($0.from, $0.traffic.rawValue) < ($1.from, $1.traffic.rawValue) }) where cut.to == party {
            let kind =
                switch cut.traffic {
                case .all: ""
                case .datagrams: " ip protocol udp"
                case .streams: " ip protocol tcp"
                }
            text += "    ip saddr \(address(cut.from))\(kind) drop\n"
        }
        return text + "  }\n}\n"
    }
}
