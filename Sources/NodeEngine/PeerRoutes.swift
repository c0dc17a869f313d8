import Consensus
import OrderedCollections
import WireFormat

/// Which way a message takes, per peer.
///
/// Control messages go as datagrams. As long as nothing proves that our datagrams reach a peer, they take the stream
/// as well, and the datagrams go on as probes; so a network that lets no datagram through costs warnings, not leaders.
struct PeerRoutes: Sendable {
    private struct Peer: Sendable {
        /// When a datagram from it last came.
        var heardDatagram: UInt64?
        /// When anything from it last came.
        var heard: UInt64?
        /// When it last said that our datagrams reach it.
        var hearsUs: UInt64?
        var reported: (from: Bool, to: Bool)?
    }

    private var peers: OrderedDictionary<NodeID, Peer> = [:]
    private let patience: UInt64
    private let startedAt: UInt64

    /// A way counts as open for `patience` milliseconds after it was last proved.
    init(peers ids: [NodeID], patience: UInt64, now: UInt64) {
        for id in ids { peers[id] = Peer() }
        self.patience = patience
        startedAt = now
    }

    mutating func heard(_ frame: PeerFrame, via channel: PeerChannel, now: UInt64) {
        peers[frame.from]?.heard = now
        if channel == .datagram { peers[frame.from]?.heardDatagram = now }
        if frame.hearsDatagrams { peers[frame.from]?.hearsUs = now }
    }

    private func isRecent(_ time: UInt64?, _ now: UInt64) -> Bool {
        time.map { now - $0 <= patience } ?? false
    }

    func isReachable(_ peer: NodeID, now: UInt64) -> Bool { isRecent(peers[peer]?.heard, now) }
    func hearsDatagrams(from peer: NodeID, now: UInt64) -> Bool { isRecent(peers[peer]?.heardDatagram, now) }
    private func isHeard(by peer: NodeID, now: UInt64) -> Bool { isRecent(peers[peer]?.hearsUs, now) }

    func channels(for message: Message, to peer: NodeID, now: UInt64) -> [PeerChannel] {
        switch message {
        case .append, .appendReply:
            [.stream]
        case .preVote, .preVoteReply, .vote, .voteReply:
            // Rare, and worth both.
            [.datagram, .stream]
        case .heartbeat, .heartbeatReply, .readIndex, .readIndexReply:
            isHeard(by: peer, now: now) ? [.datagram] : [.datagram, .stream]
        }
    }

    /// What changed for people to know: only of peers that are heard at all, and not in the first moments.
    mutating func notices(now: UInt64) -> [Notice] {
        guard now - startedAt > 4 * patience else { return [] }
        var notices: [Notice] = []
        for (id, peer) in peers where isRecent(peer.heard, now) {
            let state = (from: isRecent(peer.heardDatagram, now), to: isRecent(peer.hearsUs, now))
            let before = peer.reported ?? (from: true, to: true)
            if state != before { notices.append(.datagrams(id, from: state.from, to: state.to)) }
            peers[id]?.reported = state
        }
        return notices
    }
}
