/// The ways in which a network comes apart.
enum CutShape: String, CaseIterable, Sendable {
    case isolated = "one node cut off"
    case mute = "one node heard by nobody"
    case deaf = "one node hears nobody"
    case oneWayLink = "one link cut one way"
    case link = "one link cut"
    case datagramsOfOne = "no UDP to and from one node"
    case allDatagrams = "no UDP at all"
    case streamsOfOne = "no TCP between one node and the others"
    case oneWayStream = "no TCP one way on one link"
    case halves = "two parts"
    case bridge = "two parts joined by one node"
    case everyLink = "every link between nodes"
    case clients = "clients cut off from one node"
    case clientsMute = "one node's answers to clients lost"

    /// - Parameters:
    ///   - first: the node that it is about.
    ///   - others: all the other ones, in an order drawn by lot.
    func cuts(_ first: Int, _ others: [Int]) -> LinkCuts {
        var cuts = LinkCuts()
        let half = others.count / 2
        switch self {
        case .isolated: for other in others { cuts.cutBothWays(first, other) }
        case .mute: for other in others { cuts.cut(from: first, to: other) }
        case .deaf: for other in others { cuts.cut(from: other, to: first) }
        case .oneWayLink: cuts.cut(from: first, to: others[0])
        case .link: cuts.cutBothWays(first, others[0])
        case .datagramsOfOne: for other in others { cuts.cutBothWays(first, other, .datagrams) }
        case .allDatagrams: Self.eachLink(of: [first] + others) { cuts.cutBothWays($0, $1, .datagrams) }
        case .streamsOfOne: for other in others { cuts.cutBothWays(first, other, .streams) }
        case .oneWayStream: cuts.cut(from: first, to: others[0], .streams)
        // The smaller part has the node that it is about: often the leader.
        case .halves: Self.separate([first] + others.prefix(half - 1), Array(others.dropFirst(half - 1)), &cuts)
        // The first one sees all, the others see their own part.
        case .bridge: Self.separate(Array(others.prefix(half)), Array(others.dropFirst(half)), &cuts)
        case .everyLink: Self.eachLink(of: [first] + others) { cuts.cutBothWays($0, $1) }
        case .clients: cuts.cutBothWays(first, LinkCuts.clients)
        case .clientsMute: cuts.cut(from: first, to: LinkCuts.clients)
        }
        return cuts
    }

    private static func eachLink(of nodes: [Int], _ body: (Int, Int) -> Void) {
        for (place, node) in nodes.enumerated() {
            for other in nodes[(place + 1)...] { body(node, other) }
        }
    }

    private static func separate(_ one: [Int], _ other: [Int], _ cuts: inout LinkCuts) {
        for node in one {
            for stranger in other { cuts.cutBothWays(node, stranger) }
        }
    }
}
