import Consensus
import Testing
import WireFormat

@testable import NodeServer

@Suite struct DatagramTests {
    private func seal(_ node: UInt64, secret: String = "s", cluster: String = "c", incarnation: UInt64 = 1) -> DatagramSeal {
        DatagramSeal(secret: ClusterSecret(secret, cluster: cluster), cluster: cluster, own: NodeID(node), incarnation: incarnation)
    }

    private let frame = PeerFrame(
        from: NodeID(1), hearsDatagrams: true, message: .heartbeat(Heartbeat(term: 3, round: 4, commit: 5, oldestWriteAge: 6)))

    @Test func whatWasClosedOpensOnce() throws {
        var (one, two) = (seal(1), seal(2))
        let bytes = try #require(one.close(frame, to: NodeID(2)))
        #expect(two.open(bytes) == frame)
        #expect(two.open(bytes) == nil, "a repetition is refused")
        #expect(two.refused == 1)
    }

    @Test func everyTurnedBitIsRefused() throws {
        var one = seal(1)
        let bytes = try #require(one.close(frame, to: NodeID(2)))
        for bit in 0..<bytes.count * 8 {
            var two = seal(2)
            var bad = bytes
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(two.open(bad) == nil, "bit \(bit)")
        }
        for length in 0..<bytes.count {
            var two = seal(2)
            #expect(two.open(Array(bytes[..<length])) == nil)
        }
    }

    @Test func strangersAreRefused() throws {
        var one = seal(1)
        let bytes = try #require(one.close(frame, to: NodeID(2)))
        var (otherSecret, otherCluster, otherNode) = (seal(2, secret: "t"), seal(2, cluster: "d"), seal(3))
        #expect(otherSecret.open(bytes) == nil)
        #expect(otherCluster.open(bytes) == nil)
        #expect(otherNode.open(bytes) == nil, "it was meant for node 2")
    }

    @Test func anEarlierLifeIsNotListenedTo() throws {
        var (old, new, two) = (seal(1, incarnation: 1), seal(1, incarnation: 2), seal(2))
        let early = try #require(old.close(frame, to: NodeID(2)))
        let late = try #require(new.close(frame, to: NodeID(2)))
        #expect(two.open(late) != nil)
        #expect(two.open(early) == nil)
    }

    @Test func theWindowTakesEachCounterOnceInAnyOrder() {
        var window = ReplayWindow()
        let order = (1...3000 as ClosedRange<UInt64>).map { $0 ^ 7 }.filter { $0 > 0 }
        for counter in order { #expect(window.accept(incarnation: 1, counter: counter), "\(counter)") }
        for counter in order { #expect(!window.accept(incarnation: 1, counter: counter), "\(counter)") }
        #expect(window.accept(incarnation: 1, counter: 100_000))
        #expect(!window.accept(incarnation: 1, counter: 98_976), "older than the window")
        #expect(window.accept(incarnation: 1, counter: 98_977))
    }
}
