import Consensus
import Testing
import WireFormat

@testable import NodeServer

@Suite struct DatagramTests {
    private func seal(_ node: UInt64, secret: String = "s", cluster: String = "c", epoch: UInt64 = 1) -> DatagramSeal {
        DatagramSeal(
            secret: ClusterSecret(secret, cluster: cluster), cluster: cluster, own: NodeID(node), epoch: epoch)
    }

    private let frame = PeerFrame(
        from: NodeID(1), hearsDatagrams: true, message: .heartbeat(Heartbeat(term: 3, round: 4, commit: 5, oldestWriteAge: 6)))

    private func agreed(_ peer: NodeID) -> UInt64? { 1 }

    /// What node 1 sends to node 2.
    private func letter(epoch: UInt64 = 1) -> [UInt8] {
        var sender = seal(1, epoch: epoch)
        return sender.close(frame, to: NodeID(2)) ?? []
    }

    @Test func whatWasClosedOpensOnce() {
        var receiver = seal(2)
        let bytes = letter()
        let (first, second) = (receiver.open(bytes, agreed: agreed), receiver.open(bytes, agreed: agreed))
        #expect(first == .frame(frame))
        #expect(second == .refused, "a repetition is refused")
        #expect(receiver.refused == 1)
    }

    /// Made by another program from the format's description; it never changes.
    @Test func aDatagramHasTheseBytes() {
        let golden =
            "4a42445501e27a50a9032c7d2e01000000000000000200000000000000010000000000000001000000000000000801010304"
            + "0506a5a56fb852a371f44db1995e2afcb615"
        #expect(letter().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == golden)
    }

    @Test func everyTurnedBitIsRefused() {
        let bytes = letter()
        #expect(bytes.count > 60)
        for bit in 0..<bytes.count * 8 {
            var receiver = seal(2)
            var bad = bytes
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            let opened = receiver.open(bad, agreed: agreed)
            #expect(opened == .refused, "bit \(bit)")
        }
        for length in 0..<bytes.count {
            var receiver = seal(2)
            let opened = receiver.open(Array(bytes[..<length]), agreed: agreed)
            #expect(opened == .refused, "length \(length)")
        }
    }

    @Test func strangersAreRefused() {
        let bytes = letter()
        for stranger in [seal(2, secret: "t"), seal(2, cluster: "d"), seal(3)] {
            var receiver = stranger
            let opened = receiver.open(bytes, agreed: agreed)
            #expect(opened == .refused)
        }
    }

    /// Numbers of an emptied folder start at 1 again, so it is not the larger one that counts but the one that was agreed.
    @Test func `only datagrams of the epoch of the last greeting are taken`() {
        var receiver = seal(2)
        var epoch: UInt64? = nil
        func open(_ sent: UInt64) -> DatagramSeal.Opened { receiver.open(letter(epoch: sent), agreed: { _ in epoch }) }
        #expect(open(9) == .otherEpoch, "before the first greeting")
        epoch = 9
        #expect(open(9) == .frame(frame))
        epoch = 3
        #expect(open(9) == .otherEpoch, "an earlier run")
        #expect(open(3) == .frame(frame), "a later run with a smaller number")
        #expect(open(3) == .refused, "a repetition")
        #expect(receiver.refused == 1)
    }

    @Test func theWindowTakesEachCounterOnceInAnyOrder() {
        var window = ReplayWindow()
        let order = (1...3000 as ClosedRange<UInt64>).map { $0 ^ 7 }.filter { $0 > 0 }
        let first = order.map { window.accept(epoch: 1, counter: $0) }
        let again = order.map { window.accept(epoch: 1, counter: $0) }
        #expect(first.allSatisfy { $0 })
        #expect(!again.contains(true))
        let jump = window.accept(epoch: 1, counter: 100_000)
        let tooOld = window.accept(epoch: 1, counter: 98_976)
        let oldest = window.accept(epoch: 1, counter: 98_977)
        #expect(jump && !tooOld && oldest)
    }
}
