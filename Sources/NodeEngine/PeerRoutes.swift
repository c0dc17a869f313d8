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
        /// Control messages that came by the stream since the last datagram.
        var streamedInARow = 0
        /// Messages in a row that say that our datagrams do not reach it.
        var unheardInARow = 0
        var reported = (from: true, to: true)
    }

    /// So many messages in a row make a channel count as lost, for people to know.
    private static let lostAfter = 20

    private var peers: OrderedDictionary<NodeID, Peer> = [:]
    private let patience: UInt64

    /// A way counts as open for `patience` milliseconds after it was last proved.
    init(peers ids: [NodeID], patience: UInt64) {
        for id in ids { peers[id] = Peer() }
        self.patience = patience
    }

    mutating func heard(_ frame: PeerFrame, via channel: PeerChannel, now: UInt64) {
        guard var peer = peers[frame.from] else { return }
        peer.heard = now
        if channel == .datagram {
            peer.heardDatagram = now
            peer.streamedInARow = 0
        } else if Self.isControl(frame.message) {
            peer.streamedInARow += 1
        }
        if frame.hearsDatagrams {
            peer.hearsUs = now
            peer.unheardInARow = 0
        } else {
            peer.unheardInARow += 1
        }
        peers[frame.from] = peer
    }

    private func isRecent(_ time: UInt64?, _ now: UInt64) -> Bool {
        time.map { now - $0 <= patience } ?? false
    }

    func isReachable(_ peer: NodeID, now: UInt64) -> Bool { isRecent(peers[peer]?.heard, now) }
    func hearsDatagrams(from peer: NodeID, now: UInt64) -> Bool { isRecent(peers[peer]?.heardDatagram, now) }
    private func isHeard(by peer: NodeID, now: UInt64) -> Bool { isRecent(peers[peer]?.hearsUs, now) }

    /// Control messages take datagrams where they can.
    private static func isControl(_ message: Message) -> Bool {
        switch message {
        case .append, .appendReply, .snapshotOffer, .takeOver: false
        case .preVote, .preVoteReply, .vote, .voteReply, .heartbeat, .heartbeatReply, .readIndex, .readIndexReply: true
        }
    }

    func channels(for message: Message, to peer: NodeID, now: UInt64) -> [PeerChannel] {
        switch message {
        case .append, .appendReply, .snapshotOffer, .takeOver:
            [.stream]
        case .preVote, .preVoteReply:
            // As entries will: who has no streams to and from a majority can't commit anything, and must not even try to
            // lead. By datagrams it could win again and again, and keep others from it.
            [.stream]
        case .vote, .voteReply:
            // Rare, and worth both.
            [.datagram, .stream]
        case .heartbeat, .heartbeatReply, .readIndex, .readIndexReply:
            isHeard(by: peer, now: now) ? [.datagram] : [.datagram, .stream]
        }
    }

    /// What changed for people to know.
    mutating func notices() -> [Notice] {
        var notices: [Notice] = []
        for (id, peer) in peers {
            let state = (from: peer.streamedInARow < Self.lostAfter, to: peer.unheardInARow < Self.lostAfter)
            guard state != peer.reported else { continue }
            peers[id]?.reported = state
            notices.append(.datagrams(id, from: state.from, to: state.to))
        }
        return notices
    }
}
