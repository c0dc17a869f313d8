import Testing

@testable import JobboardCLI

/// Which cuts leave a majority connected, and what the packet filters are told.
struct LinkCutsTests {
    private static func isLive(_ shape: CutShape, _ nodes: Int, first: Int = 1) -> Bool {
        let others = (1...nodes).filter { $0 != first }
        return shape.cuts(first, others).hasConnectedMajority(of: nodes, up: Set(1...nodes))
    }

    @Test(arguments: [3, 5]) func whatLeavesAMajorityConnected(nodes: Int) {
        let live: Set<CutShape> = [
            .isolated, .mute, .deaf, .oneWayLink, .link, .datagramsOfOne, .allDatagrams, .streamsOfOne, .oneWayStream, .halves,
            .bridge,
        ]
        for shape in CutShape.allCases {
            #expect(Self.isLive(shape, nodes) == live.contains(shape), "\(shape), \(nodes) nodes")
        }
    }

    @Test func aMajorityMustRun() {
        let whole = LinkCuts()
        #expect(whole.hasConnectedMajority(of: 3, up: [1, 3]))
        #expect(!whole.hasConnectedMajority(of: 3, up: [2]))
        #expect(!whole.hasConnectedMajority(of: 5, up: [1, 2]))
        // The node that dies is of the larger part.
        #expect(!CutShape.halves.cuts(1, [2, 3]).hasConnectedMajority(of: 3, up: [1, 2]))
    }

    @Test func aBridgeSeesBothParts() {
        let cuts = CutShape.bridge.cuts(3, [1, 2, 4, 5]).cuts
        #expect(!cuts.contains { $0.from == 3 || $0.to == 3 })
        #expect(cuts.count == 8, "two and two, both ways")
    }

    @Test func theSmallerPartHasTheFirstNode() {
        let cuts = CutShape.halves.cuts(2, [5, 1, 3, 4]).cuts
        #expect(Set(cuts.filter { $0.to == 2 }.map(\.from)) == [1, 3, 4])
        #expect(Set(cuts.filter { $0.to == 5 }.map(\.from)) == [1, 3, 4])
    }

    @Test func aReceiverDropsWhatItMustNotGet() {
        var cuts = LinkCuts()
        cuts.cut(from: 1, to: 2)
        cuts.cutBothWays(2, 3, .datagrams)
        cuts.cut(from: 2, to: LinkCuts.clients, .streams)
        let rules = (0...3).map { cuts.rules(of: $0) { "10.0.0.\($0)" } }
        #expect(rules[0].contains("ip saddr 10.0.0.2 ip protocol tcp drop"))
        #expect(!rules[1].contains("drop"))
        #expect(rules[2].contains("ip saddr 10.0.0.1 drop") && rules[2].contains("ip saddr 10.0.0.3 ip protocol udp drop"))
        #expect(rules[3].contains("ip saddr 10.0.0.2 ip protocol udp drop"))
        // Rules replace those before.
        for text in rules { #expect(text.contains("delete table ip chaos")) }
    }
}
