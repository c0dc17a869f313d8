import Consensus
import EventLog
import Glibc
import NIOCore
import NodeEngine
import WireFormat

/// What two nodes need to know to talk to each other.
struct PeerContext: Sendable {
    var cluster: String
    var own: NodeID
    /// Its cluster, as its file and its folder have it.
    var membership: Membership
    var secret: ClusterSecret
    /// By chance, another one with each start of the process: tells its datagrams from those of an earlier one.
    var epoch: UInt64
    let agreement = MembershipAgreement()
    var budgets = Budgets()

    init(cluster: String, own: NodeID, membership: Membership, secret: ClusterSecret, epoch: UInt64) {
        self.cluster = cluster
        self.own = own
        self.membership = membership
        self.secret = secret
        self.epoch = epoch
    }

    /// Reads the file that holds the secret. The epoch is this process's.
    init(_ configuration: ClusterConfiguration, own: ClusterConfiguration.Node) throws(ConfigurationError) {
        self.init(
            cluster: configuration.cluster, own: NodeID(own.id), membership: Membership(voters: configuration.nodes.map(\.id)),
            secret: try configuration.nodeSecret(), epoch: UInt64.random(in: .min ... .max))
    }

    /// What it says about itself in a greeting.
    var facts: PeerFacts {
        PeerFacts(
            membership: membership.digest(cluster: BlockCodec.clusterTag(cluster)), members: membership.members.map(\.id),
            epoch: epoch)
    }

    /// Why a node that has proved itself must not be talked to; nil when its cluster is this one.
    func refusal(of peer: NodeID, _ theirs: PeerFacts) -> String? {
        agreement.refusal(of: peer, theirs, own: own, facts)
    }

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
