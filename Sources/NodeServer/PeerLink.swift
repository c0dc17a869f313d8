import Consensus
import Logging
import NIOCore
import NIOPosix
import NodeEngine
import WireFormat

/// The streams with one peer: the one that this node dials and sends on, and the one that the peer has dialled.
///
/// A stream that broke is dialled again, soon at first and then once a second.
final class PeerLink {
    private enum State {
        case waiting(until: NIODeadline)
        case dialling
        case open(PeerDialHandler, since: NIODeadline)
        case stopped
    }

    private let peer: NodeID
    private let host: String
    private let port: Int
    private let context: PeerContext
    private unowned let node: any PeerListener
    private var state = State.waiting(until: .now())
    /// In a row; a stream that lasted ends the row.
    private var failures: Int64 = 0
    private var output: [UInt8] = []
    /// Handed to the channel and not yet taken by the system, in bytes.
    private(set) var unsent = 0
    /// Times that the stream was closed since the peer did not read.
    private(set) var overflows: UInt64 = 0
    /// What the peer sends comes here. A peer has one at a time.
    private var incoming: PeerAcceptHandler?

    init(peer: NodeID, host: String, port: Int, context: PeerContext, node: any PeerListener) {
        self.peer = peer
        self.host = host
        self.port = port
        self.context = context
        self.node = node
    }

    func tick() {
        switch state {
        case .waiting(let deadline) where deadline <= .now(): dial()
        case .open(let stream, _): stream.look()
        default: break
        }
        incoming?.look()
    }

    /// The peer has dialled us and proved who it is, so it lives: no need to wait any longer. A stream that it had before is
    /// dead, and only this side has not found out.
    func accepted(_ stream: PeerAcceptHandler) {
        incoming?.end()
        incoming = stream
        if case .waiting = state { dial() }
    }

    func lost(_ stream: PeerAcceptHandler) {
        if incoming === stream { incoming = nil }
    }

    private func dial() {
        state = .dialling
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        let (context, peer, node) = (context, peer, node)
        ClientBootstrap(group: node.loop)
            .connectTimeout(.seconds(1))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(PeerContext.userTimeout, value: PeerContext.deadAfterMilliseconds)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        PeerDialHandler(link: bound.value, peer: peer, context: context, node: node))
                }
            }
            .connect(host: host, port: port)
            .whenFailure { _ in bound.value.closed(announce: false) }
    }

    /// The peer has proved who it is.
    func opened(_ stream: PeerDialHandler) {
        guard case .dialling = state else { return stream.close() }
        state = .open(stream, since: .now())
        node.logger.debug("peer connected", metadata: [LogKey.peer: "\(peer)"])
    }

    func closed(announce: Bool) {
        if case .stopped = state { return }
        var wasOpen = false
        if case .open(_, let since) = state {
            wasOpen = true
            if NIODeadline.now() - since > .seconds(5) { failures = 0 }
        }
        failures += 1
        state = .waiting(until: .now() + .milliseconds(min(1000, 20 << min(failures, 6))))
        output.removeAll()
        guard wasOpen, announce else { return }
        node.logger.info("peer disconnected", metadata: [LogKey.peer: "\(peer)"])
        node.receive(.peerStreamLost(peer))
    }

    /// What can't be sent is lost, as on any network.
    func send(_ frame: PeerFrame) {
        guard case .open = state else { return }
        PeerCodec.append(frame, to: &output)
    }

    func send(_ transfer: Transfer, from own: NodeID) {
        guard case .open = state else { return }
        TransferCodec.append(transfer, from: own, to: &output)
    }

    func flush() {
        guard case .open(let stream, _) = state, !output.isEmpty else { return }
        let count = output.count
        unsent += count
        guard unsent <= context.budgets[.unsentToPeer] else {
            unsent -= count
            overflows += 1
            node.logger.warning("peer does not read", metadata: [LogKey.peer: "\(peer)"])
            return stream.close()
        }
        let bound = NIOLoopBound(self, eventLoop: node.loop)
        stream.send(output)?.whenComplete { _ in bound.value.unsent -= count }
        output.removeAll(keepingCapacity: count < 4 << 20)
    }

    /// Of the stream with the most, when there are several.
    static func reading(_ links: some Collection<PeerLink>, _ budgets: Budgets) -> BudgetReading {
        BudgetReading(
            name: Budget.unsentToPeer.name, used: UInt64(links.reduce(0) { max($0, $1.unsent) }),
            limit: UInt64(budgets[.unsentToPeer]), refused: links.reduce(0) { $0 + $1.overflows })
    }

    /// The peer has proved who it is, and said something in the last seconds.
    var isOpen: Bool {
        if case .open = state { return true }
        return incoming != nil
    }

    func stop() {
        if case .open(let stream, _) = state { stream.close() }
        state = .stopped
        incoming?.end()
        incoming = nil
    }
}
