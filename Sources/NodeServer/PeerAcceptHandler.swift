import Consensus
import EventLog
import Logging
import NIOCore
import NodeEngine
import WireFormat

/// The accepting side of a stream between nodes: checks who dials, and then takes in what it says.
final class PeerAcceptHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case greeting
        case proving(peer: NodeID, nonce: [UInt8], ownNonce: [UInt8])
        case open(NodeID)
        case refused
    }

    private let context: PeerContext
    private let node: any PeerListener
    private let cluster: UInt64
    private var splitter = FrameSplitter()
    private var state = State.greeting
    private var greetingTimer: Scheduled<Void>?
    private var channel: ChannelHandlerContext?

    init(context: PeerContext, node: any PeerListener) {
        self.context = context
        self.node = node
        cluster = BlockCodec.clusterTag(context.cluster)
    }

    func channelActive(context channel: ChannelHandlerContext) {
        self.channel = channel
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        greetingTimer = channel.eventLoop.scheduleTask(in: PeerContext.greetingTime) {
            bound.value.refuse("it said nothing in time")
        }
    }

    func channelInactive(context channel: ChannelHandlerContext) {
        self.channel = nil
        greetingTimer?.cancel()
        if case .open(let peer) = state { node.receive(.peerStreamLost(peer)) }
    }

    func channelRead(context channel: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        splitter.append(&bytes)
        do {
            while let body = try splitter.next(maximum: maximumFrame) { try take(body) }
        } catch {
            refuse("\(error)")
        }
    }

    func errorCaught(context channel: ChannelHandlerContext, error: any Error) {
        node.logger.debug("peer connection broke", metadata: [LogKey.reason: "\(error)"])
        channel.close(promise: nil)
    }

    private var maximumFrame: Int {
        switch state {
        case .greeting, .proving, .refused: Framing.maximumHelloFrame
        case .open: Framing.maximumPeerFrame
        }
    }

    private func take(_ body: ByteBuffer) throws {
        switch state {
        case .greeting:
            try greet(body.withUnsafeReadableBytes { bytes throws(WireError) in try PeerCodec.decodeHello(bytes) })
        case .proving(let peer, let nonce, let ownNonce):
            let proof = try body.withUnsafeReadableBytes { bytes throws(WireError) in try PeerCodec.decodeProof(bytes) }
            let expected = context.secret.proof(
                by: .dialer, dialer: peer, acceptor: context.own, dialerNonce: nonce, acceptorNonce: ownNonce)
            guard proof.code == expected else { throw WireError("its cluster secret is another") }
            greetingTimer?.cancel()
            state = .open(peer)
            node.links[peer]?.peerLives()
        case .open(let peer):
            let transfer = try body.withUnsafeReadableBytes { bytes throws(WireError) in
                TransferCodec.isTransfer(bytes) ? try TransferCodec.decode(bytes) : nil
            }
            if let transfer {
                guard transfer.from == peer else { throw WireError("it speaks for node \(transfer.from)") }
                return node.receive(.transfer(from: peer, transfer.transfer))
            }
            let frame = try body.withUnsafeReadableBytes { bytes in
                try PeerCodec.decodeBody(bytes) { try BlockCodec.parse($0, cluster: cluster) }
            }
            guard frame.from == peer else { throw WireError("it speaks for node \(frame.from)") }
            node.receive(.peer(frame, via: .stream))
        case .refused:
            break
        }
    }

    private func greet(_ hello: PeerHello) throws(WireError) {
        guard hello.cluster == context.cluster else { throw WireError("it belongs to cluster \"\(hello.cluster)\"") }
        guard hello.to == context.own else { throw WireError("it looks for node \(hello.to)") }
        guard context.voters.contains(hello.from), hello.from != context.own else {
            throw WireError("node \(hello.from) is not in the cluster")
        }
        let nonce = context.nonce()
        let proof = context.secret.proof(
            by: .acceptor, dialer: hello.from, acceptor: context.own, dialerNonce: hello.nonce, acceptorNonce: nonce)
        let answer =
            PeerCodec.encode(PeerHello(cluster: context.cluster, from: context.own, to: hello.from, nonce: nonce))
            + PeerCodec.encode(PeerProof(code: proof))
        if let channel { channel.writeAndFlush(wrapOutboundOut(channel.channel.allocator.buffer(bytes: answer)), promise: nil) }
        state = .proving(peer: hello.from, nonce: hello.nonce, ownNonce: nonce)
    }

    private func refuse(_ reason: String) {
        guard let channel else { return }
        let isOpen = if case .open = state { true } else { false }
        state = isOpen ? state : .refused
        node.logger.warning(
            "peer connection refused",
            metadata: [LogKey.address: "\(channel.remoteAddress?.description ?? "?")", LogKey.reason: "\(reason)"])
        channel.close(promise: nil)
    }
}
