import Consensus

extension SearchWorld {
    /// The world that a search begins with.
    static func start(_ bounds: SearchBounds) throws(Violation) -> SearchWorld {
        var honest = bounds
        honest.diskLies = false
        var world = SearchWorld(bounds: honest)
        switch bounds.start {
        case .empty: break
        case .led: try world.leadOne()
        case .figure8: try world.enterFigure8()
        }
        world.spent = Spent()
        world.bounds = bounds
        return world
    }

    /// Nothing is lost, every disk is quick and honest: what the first node wants, happens. The second heartbeat spreads
    /// the commit index.
    private mutating func leadOne() throws(Violation) {
        for move in [SearchMove.timeOut(0), .beat(0)] {
            try take(move)
            for _ in 0..<1000 where try !settle([0, 1, 2]) { break }
        }
        precondition(flights.isEmpty, "three quiet nodes never came to rest")
    }

    /// Node 1 led term 1 and node 2 term 2, each with one entry that is on its own disk alone. Node 1 leads term 3, has found
    /// out that node 3 has nothing, and its first entry is on the way there.
    private mutating func enterFigure8() throws(Violation) {
        try elect(0, by: 1)
        flights = []
        try elect(1, by: 2)
        flights = []
        for node in [0, 1] as [UInt8] { try take(.crash(node, surviving: 0)) }
        try elect(0, by: 2)
        // Node 2 hears of the new term and keeps its entry; the append to it is lost.
        try deliver(0, to: 1) { if case .heartbeat = $0 { true } else { false } }
        for _ in 0..<2 where disks[1].waitedFor > 0 { _ = try settle([1]) }
        try deliver(0, to: 2) { if case .append = $0 { true } else { false } }
        try deliver(2, to: 0) { if case .appendReply = $0 { true } else { false } }
        flights.removeAll { flight in
            guard flight.from == 0, flight.to == 2, case .append(let append) = flight.message else { return true }
            return append.previousIndex != 0
        }
        precondition(flights.count == 1, "the entry of the earlier term is not on its way")
    }

    /// Makes a node lead by one other's vote; what it says as a leader is on its way, and its first entry is on its disk.
    private mutating func elect(_ node: Int, by voter: Int) throws(Violation) {
        for _ in 0..<100 where !replicas[node].isLeader {
            if try !settle([node, voter]) { try take(.timeOut(UInt8(node))) }
        }
        precondition(replicas[node].isLeader, "node \(node + 1) was not elected")
        if disks[node].waitedFor > 0 { try take(.complete(UInt8(node), writes: UInt8(disks[node].waitedFor))) }
    }

    /// Between these nodes: a disk finishes, or else the oldest message arrives. False when there is neither.
    private mutating func settle(_ nodes: [Int]) throws(Violation) -> Bool {
        if let node = nodes.first(where: { disks[$0].waitedFor > 0 }) {
            try take(.complete(UInt8(node), writes: UInt8(disks[node].waitedFor)))
        } else if let place = flights.firstIndex(where: { nodes.contains($0.from) && nodes.contains($0.to) }) {
            try take(.deliver(UInt8(place)))
        } else {
            return false
        }
        return true
    }

    private mutating func deliver(_ from: Int, to: Int, where fits: (Message) -> Bool) throws(Violation) {
        guard let place = flights.firstIndex(where: { $0.from == from && $0.to == to && fits($0.message) }) else {
            preconditionFailure("nothing of the kind is on its way from node \(from + 1) to node \(to + 1)")
        }
        try take(.deliver(UInt8(place)))
    }
}
