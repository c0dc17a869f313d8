/// Which nodes there are, who is said to lead, and whom to try next.
package struct NodeDirectory: Sendable {
    /// How long a hint that names a node we just failed to reach is not followed: followers name a dead leader
    /// until they have elected another.
    package static let distrust: Int64 = .milliseconds(250)
    /// Leaders learned from hints are remembered beside the nodes the user named, up to so many in all.
    private static let most = 32

    private var known: [String]
    private var next: Int
    private var leader: String?
    private var distrusted: (node: String, until: Moment)?

    /// - Parameter start: where in the list to begin, so that many clients do not all begin at the same node.
    package init(nodes: [String], start: Int) {
        precondition(!nodes.isEmpty, "a directory of no nodes")
        known = nodes
        next = start % nodes.count
    }

    /// How many nodes are worth trying before a pause.
    package var count: Int { known.count }

    /// The node to connect to: the leader if we know one, else the next in turn.
    package mutating func choose() -> String {
        if let leader { return leader }
        defer { next = (next + 1) % known.count }
        return known[next]
    }

    /// Whether a node's word that `address` leads is worth following.
    package func trusts(_ address: String, now: Moment) -> Bool {
        guard let distrusted, distrusted.node == address else { return true }
        return distrusted.until <= now
    }

    /// Somebody says that `address` leads.
    package mutating func learned(leader address: String) {
        leader = address
        if !known.contains(address), known.count < Self.most { known.append(address) }
    }

    /// The node could not be reached, fell silent, or does not do its work.
    package mutating func failed(_ node: String, now: Moment) {
        if leader == node { leader = nil }
        distrusted = (node, now.adding(Self.distrust))
        // Not the same one again at once.
        if known[next] == node { next = (next + 1) % known.count }
    }
}
