import Consensus
import NodeServer
import WireFormat

extension FuzzTarget {
    /// From node 1 to node 2, as they come.
    static let datagram = FuzzTarget("datagram", maximumBytes: 1300) { checkDatagram($0) }

    /// Behind the code that only members of the cluster can make.
    static let datagramSealed = FuzzTarget("datagram-sealed", maximumBytes: 1200) { bytes in
        checkDatagram(bytes + ClusterSecret("secret", cluster: "fuzz").code(over: bytes))
    }

    private static func seal(_ node: NodeID) -> DatagramSeal {
        DatagramSeal(secret: ClusterSecret("secret", cluster: "fuzz"), cluster: "fuzz", own: node, epoch: 1)
    }

    private static func checkDatagram(_ bytes: [UInt8]) {
        let receiver = NodeID(2)
        var first = seal(receiver)
        guard case .frame(let frame) = first.open(bytes, agreed: { _ in 1 }) else { return }
        hold(first.open(bytes, agreed: { _ in 1 }) == .refused, "a repetition was let in")
        var sender = seal(frame.from)
        guard let again = sender.close(frame, to: receiver) else { fatalError("broken promise: \(frame) fits no datagram") }
        var second = seal(receiver)
        hold(second.open(again, agreed: { _ in 1 }) == .frame(frame), "\(frame) does not survive the way")
    }
}
