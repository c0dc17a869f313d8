import Consensus
import Glibc
import NIOCore
import NodeEngine
import WireFormat

/// What two nodes need to know to talk to each other.
struct PeerContext: Sendable {
    var cluster: String
    var own: NodeID
    var voters: [NodeID]
    var secret: ClusterSecret
    var budgets = Budgets()

    /// How long a handshake may take.
    var greetingTime: TimeAmount { .milliseconds(Int64(budgets[.greetingTime])) }
    /// A stream whose bytes the other side has not acknowledged for this long is dead (TCP_USER_TIMEOUT, RFC 5482).
    static let deadAfterMilliseconds = 4000
    static let userTimeout = ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT))

    static func nonce() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<PeerHello.nonceLength).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// Milliseconds of the monotonic clock, for `StreamWatch`.
    static func now() -> UInt64 { NIODeadline.now().uptimeNanoseconds / 1_000_000 }
}
