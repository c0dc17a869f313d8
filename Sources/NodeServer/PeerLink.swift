import Consensus
import EventLog
import Glibc
import Logging
import NIOCore
import NIOPosix
import NodeEngine
import WireFormat

/// What two nodes need to know to talk to each other.
struct PeerContext: Sendable {
    var cluster: String
    var own: NodeID
    var voters: [NodeID]
    var secret: ClusterSecret

    /// How long a greeting may take.
    static let greetingTime = TimeAmount.seconds(5)
    /// A stream whose bytes the other side has not acknowledged for this long is dead (TCP_USER_TIMEOUT, RFC 5482).
    static let deadAfterMilliseconds = 4000
    static let userTimeout = ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT))

    func nonce() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<PeerHello.nonceLength).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}

/// The stream that this node dials to one peer, and sends on; what the peer sends comes on the one that it dials.
///
/// A link that broke is dialled again, soon at first and then once a second.
final class PeerLink {
    private enum State {
        case waiting(until: NIODeadline)
        case dialling
        case open(any Channel)
        case stopped
    }

    private let peer: NodeID
    private let host: String
    private let port: Int
    private let context: PeerContext
    private unowned let node: any PeerListener
    private var state = State.waiting(until: .now())
    private var failures: Int64 = 0
    private var output: [UInt8] = []
    /// Handed to the channel and not yet taken by the system, in bytes.
    private var unsent = 0
    /// Past this the peer does not read: the link is broken off, and what it was to carry is lost, as on any network.
    private static let maximumUnsent = 64 << 20

    init(peer: NodeID, host: String, port: Int, context: PeerContext, node: any PeerListener) {
        self.peer = peer
        self.host = host
        self.port = port
        self.context = context
        self.node = node
    }

    func tick() {
        if case .waiting(let deadline) = state, deadline <= .now() { dial() }
    }

    /// The peer has dialled us, so it lives: no need to wait any longer.
    func peerLives() {
        if case .waiting = state { dial() }
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
    func opened(_ channel: any Channel) {
        guard case .dialling = state else { return channel.close(promise: nil) }
        state = .open(channel)
        failures = 0
        node.logger.debug("peer connected", metadata: [LogKey.peer: "\(peer)"])
    }

    func closed(announce: Bool) {
        if case .stopped = state { return }
        let wasOpen = if case .open = state { true } else { false }
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
        guard case .open(let channel) = state, !output.isEmpty else { return }
        let buffer = channel.allocator.buffer(bytes: output)
        let count = output.count
        output.removeAll(keepingCapacity: count < 4 << 20)
        unsent += count
        guard unsent <= Self.maximumUnsent else {
            node.logger.warning("peer does not read", metadata: [LogKey.peer: "\(peer)"])
            return channel.close(promise: nil)
        }
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.writeAndFlush(buffer).whenComplete { _ in bound.value.unsent -= count }
    }

    func stop() {
        if case .open(let channel) = state { channel.close(promise: nil) }
        state = .stopped
    }
}

/// The dialling side of a handshake: greets, checks the other's proof, and gives its own.
private final class PeerDialHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case greeting
        case proving(nonce: [UInt8])
        case done
    }

    private let link: PeerLink
    private let peer: NodeID
    private let context: PeerContext
    private let node: any PeerListener
    private let nonce: [UInt8]
    private var splitter = FrameSplitter()
    private var state = State.greeting
    private var greetingTimer: Scheduled<Void>?

    init(link: PeerLink, peer: NodeID, context: PeerContext, node: any PeerListener) {
        self.link = link
        self.peer = peer
        self.context = context
        self.node = node
        nonce = context.nonce()
    }

    func channelActive(context channel: ChannelHandlerContext) {
        let bound = NIOLoopBound(channel, eventLoop: channel.eventLoop)
        greetingTimer = channel.eventLoop.scheduleTask(in: PeerContext.greetingTime) { bound.value.close(promise: nil) }
        let hello = PeerHello(cluster: context.cluster, from: context.own, to: peer, nonce: nonce)
        channel.writeAndFlush(wrapOutboundOut(channel.channel.allocator.buffer(bytes: PeerCodec.encode(hello))), promise: nil)
    }

    func channelInactive(context channel: ChannelHandlerContext) {
        greetingTimer?.cancel()
        link.closed(announce: true)
    }

    func channelRead(context channel: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        splitter.append(&bytes)
        do {
            while let body = try splitter.next(maximum: Framing.maximumHelloFrame) {
                try body.withUnsafeReadableBytes { bytes throws(WireError) in try take(bytes, channel) }
            }
        } catch {
            refuse(error.message, channel)
        }
    }

    func errorCaught(context channel: ChannelHandlerContext, error: any Error) {
        channel.close(promise: nil)
    }

    private func take(_ body: UnsafeRawBufferPointer, _ channel: ChannelHandlerContext) throws(WireError) {
        switch state {
        case .greeting:
            let hello = try PeerCodec.decodeHello(body)
            guard hello.cluster == context.cluster, hello.from == peer, hello.to == context.own else {
                throw WireError("node \(hello.from) of cluster \"\(hello.cluster)\" answers there")
            }
            state = .proving(nonce: hello.nonce)
        case .proving(let peerNonce):
            let proof = try PeerCodec.decodeProof(body)
            guard proof.code == code(by: .acceptor, peerNonce) else { throw WireError("its cluster secret is another") }
            let own = PeerProof(code: code(by: .dialer, peerNonce))
            channel.writeAndFlush(
                wrapOutboundOut(channel.channel.allocator.buffer(bytes: PeerCodec.encode(own))), promise: nil)
            state = .done
            greetingTimer?.cancel()
            link.opened(channel.channel)
        case .done:
            throw WireError("it speaks on a connection that it should only read")
        }
    }

    private func code(by role: PeerRole, _ peerNonce: [UInt8]) -> [UInt8] {
        context.secret.proof(
            by: role, dialer: context.own, acceptor: peer, dialerNonce: nonce, acceptorNonce: peerNonce)
    }

    private func refuse(_ reason: String, _ channel: ChannelHandlerContext) {
        node.logger.warning("peer refused", metadata: [LogKey.peer: "\(peer)", LogKey.reason: "\(reason)"])
        channel.close(promise: nil)
    }
}
