import Consensus
import EventLog
import Logging
import NIOCore
import NodeEngine
import Transport
import WireFormat

/// The accepting side of a stream between nodes: it checks which node dials, and then takes in what that sends. It sends pings.
final class PeerAcceptHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case greeting(AcceptingHandshake)
        case open(NodeID, RecordSealer, StreamWatch)
        case closed
    }

    private let context: PeerContext
    private let node: any PeerListener
    private let cluster: UInt64
    private var input = StreamInput()
    private var splitter = FrameSplitter()
    private var state: State
    private var greetingTimer: Scheduled<Void>?
    private var channel: ChannelHandlerContext?
    private let accepted: AcceptedConnection

    init(context: PeerContext, node: any PeerListener, accepted: AcceptedConnection) {
        self.accepted = accepted
        self.context = context
        self.node = node
        cluster = BlockCodec.clusterTag(context.cluster)
        state = .greeting(AcceptingHandshake(context: context, nonce: PeerContext.nonce()))
    }

    func channelActive(context channel: ChannelHandlerContext) {
        self.channel = channel
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        greetingTimer = channel.eventLoop.scheduleTask(in: context.greetingTime) {
            bound.value.refuse("it did not prove itself in time")
        }
    }

    func channelInactive(context channel: ChannelHandlerContext) {
        self.channel = nil
        end()
    }

    func channelRead(context channel: ChannelHandlerContext, data: NIOAny) {
        if case .closed = state { return }
        var bytes = unwrapInboundIn(data)
        input.append(&bytes)
        do {
            while try readNext() {}
            // What a proven peer has sent of a frame is bounded by the frame's length, and must not be shed for strangers' bytes.
            if case .greeting = state { accepted.holds(received: input.count) } else { accepted.holds(received: 0) }
        } catch {
            refuse("\(error)")
        }
    }

    func errorCaught(context channel: ChannelHandlerContext, error: any Error) {
        node.logger.debug("peer connection broke", metadata: [LogKey.reason: "\(ConnectionTrouble.text(error))"])
        channel.close(promise: nil)
    }

    /// False when no more has arrived, or nothing more is to be read.
    private func readNext() throws -> Bool {
        switch state {
        case .greeting(var handshake):
            guard let body = try input.nextGreeting() else { return false }
            let step = try body.withUnsafeReadableBytes { bytes throws(WireError) in try handshake.take(bytes) }
            state = .greeting(handshake)
            switch step {
            case .send(let greeting):
                write(greeting)
            case .refuse(let greeting, let reason):
                write(greeting)
                refuse(reason)
            case .checked(let peer, let proof):
                write(proof)
                node.logger.info("a peer checks its files", metadata: [LogKey.peer: "\(peer)"])
                end()
            case .proved(let peer, let proof, let keys, let facts):
                greetingTimer?.cancel()
                _ = accepted.greeted()
                guard let link = node.links[peer] else { throw WireError("this node is not ready for it") }
                write(proof)
                node.met(peer, facts)
                input.begin(keys.receiving)
                state = .open(
                    peer, RecordSealer(keys.sending), StreamWatch(now: PeerContext.now(), budgets: context.budgets))
                link.accepted(self)
            }
            return true
        case .open(let peer, let sealer, var watch):
            guard var content = try input.nextRecord() else { return false }
            watch.heard(at: PeerContext.now())
            state = .open(peer, sealer, watch)
            guard content.readableBytes > 0 else { return true }
            splitter.append(&content)
            while let frame = try splitter.next(maximum: Framing.maximumPeerFrame) { try take(frame, from: peer) }
            return true
        case .closed:
            return false
        }
    }

    private func take(_ body: ByteBuffer, from peer: NodeID) throws {
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
    }

    /// Sends a ping, or closes the stream, when it is time to.
    func look() {
        guard let channel, case .open(let peer, var sealer, var watch) = state else { return }
        switch watch.look(at: PeerContext.now(), isInRecord: input.isInRecord) {
        case .healthy:
            state = .open(peer, sealer, watch)
        case .ping:
            let ping = sealer.seal([], channel.channel.allocator)
            state = .open(peer, sealer, watch)
            channel.writeAndFlush(wrapOutboundOut(ping), promise: nil)
        case .dead(let inRecord):
            refuse(StreamText.dead(inRecord: inRecord))
        }
    }

    /// Closes the stream; nothing that arrives afterwards is taken.
    func end() {
        greetingTimer?.cancel()
        channel?.close(promise: nil)
        guard case .open(let peer, _, _) = state else { return state = .closed }
        state = .closed
        node.links[peer]?.lost(self)
        node.receive(.peerStreamLost(peer))
    }

    private func write(_ frame: [UInt8]) {
        guard let channel else { return }
        channel.writeAndFlush(wrapOutboundOut(channel.channel.allocator.buffer(bytes: frame)), promise: nil)
    }

    private func refuse(_ reason: String) {
        guard let channel else { return end() }
        let address = channel.remoteAddress?.description ?? "?"
        switch state {
        case .greeting:
            node.strangers.warning(
                .peerPort, "peer connection refused", [LogKey.address: "\(address)", LogKey.reason: "\(reason)"])
        case .open(let peer, _, _):
            node.strangers.warning(
                .peerStream, "stream of a peer closed",
                [LogKey.peer: "\(peer)", LogKey.address: "\(address)", LogKey.reason: "\(reason)"])
        case .closed: break
        }
        end()
    }
}
