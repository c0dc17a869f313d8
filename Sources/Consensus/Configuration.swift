/// Who votes.
package struct Configuration: Sendable, Equatable {
    /// The voters, by id.
    package let voters: [NodeID]

    package init(voters: [NodeID]) {
        precondition(!voters.isEmpty && voters.count <= 64, "a cluster has 1 to 64 voters, not \(voters.count)")
        precondition(Set(voters).count == voters.count, "a node may stand in the list of voters only once")
        self.voters = voters.sorted()
    }

    /// How many voters make a majority.
    package var majority: Int { voters.count / 2 + 1 }

    package func contains(_ node: NodeID) -> Bool {
        voters.contains(node)
    }

    /// The place of a voter in the list.
    func place(of node: NodeID) -> Int? {
        voters.firstIndex(of: node)
    }

    /// The greatest value that a majority has reached, given one value a voter.
    ///
    /// Computed afresh from all of them each time: a scan that relied on an order kept elsewhere once committed
    /// without a quorum (openraft#1802).
    func reachedByMajority(_ values: [UInt64]) -> UInt64 {
        precondition(values.count == voters.count, "one value a voter")
        return values.sorted(by: >)[majority - 1]
    }
}

/// Some of the voters, by their places in the configuration.
struct VoterSet: Sendable, Equatable {
    private(set) var bits: UInt64 = 0

    mutating func insert(place: Int) {
        bits |= 1 << UInt64(place)
    }

    var count: Int { bits.nonzeroBitCount }
}
