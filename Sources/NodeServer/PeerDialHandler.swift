import Consensus
import Logging
import NIOCore
import NodeEngine
import WireFormat

/// The dialling side of a stream between nodes: it says who it is, and then sends. What comes back after the handshake is pings.
final class PeerDialHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case greeting(DialingHandshake)
        case open(RecordSealer, StreamWatch)
        case closed
    }

    private let link: PeerLink
    private let peer: NodeID
    private let context: PeerContext
    private let node: any PeerListener
    private var input = StreamInput()
    private var state: State
    private var greetingTimer: Scheduled<Void>?
    private var channel: ChannelHandlerContext?

    init(link: PeerLink, peer: NodeID, context: PeerContext, node: any PeerListener) {
        self.link = link
        self.peer = peer
        self.context = context
        self.node = node
        state = .greeting(DialingHandshake(context: context, peer: peer, nonce: PeerContext.nonce()))
    }

    func channelActive(context channel: ChannelHandlerContext) {
        self.channel = channel
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        greetingTimer = channel.eventLoop.scheduleTask(in: context.greetingTime) { bound.value.close() }
        if case .greeting(let handshake) = state { write(handshake.greeting) }
    }

    func channelInactive(context channel: ChannelHandlerContext) {
        self.channel = nil
        state = .closed
        greetingTimer?.cancel()
        link.closed(announce: true)
    }

    func channelRead(context channel: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        input.append(&bytes)
        do throws(WireError) {
            while try readNext() {}
        } catch {
            refuse(error.message)
        }
    }

    func errorCaught(context channel: ChannelHandlerContext, error: any Error) {
        channel.close(promise: nil)
    }

    /// False when no more has arrived, or nothing more is to be read.
    private func readNext() throws(WireError) -> Bool {
        switch state {
        case .greeting(var handshake):
            guard let body = try input.nextGreeting() else { return false }
            let step = try body.withUnsafeReadableBytes { bytes throws(WireError) in try handshake.take(bytes) }
            switch step {
            case .send(let proof):
                state = .greeting(handshake)
                write(proof)
            case .proved(let keys, let facts):
                greetingTimer?.cancel()
                input.begin(keys.receiving)
                state = .open(RecordSealer(keys.sending), StreamWatch(now: PeerContext.now(), budgets: context.budgets))
                node.met(peer, facts)
                link.opened(self)
            }
            return true
        case .open(let sealer, var watch):
            guard let content = try input.nextRecord() else { return false }
            guard content.readableBytes == 0 else { throw WireError("it speaks on a stream that it should only read") }
            watch.heard(at: PeerContext.now())
            state = .open(sealer, watch)
            return true
        case .closed:
            return false
        }
    }

    /// Sends frames; nil when the stream is closed.
    func send(_ frames: [UInt8]) -> EventLoopFuture<Void>? {
        guard let channel, case .open(var sealer, var watch) = state else { return nil }
        watch.sent(at: PeerContext.now())
        let records = sealer.seal(frames, channel.channel.allocator)
        state = .open(sealer, watch)
        return channel.writeAndFlush(wrapOutboundOut(records))
    }

    /// Sends a ping, or closes the stream, when it is time to.
    func look() {
        guard case .open(let sealer, var watch) = state else { return }
        let verdict = watch.look(at: PeerContext.now(), isInRecord: input.isInRecord)
        state = .open(sealer, watch)
        switch verdict {
        case .healthy: break
        case .ping: _ = send([])
        case .dead(let inRecord): refuse(StreamText.dead(inRecord: inRecord))
        }
    }

    func close() {
        channel?.close(promise: nil)
    }

    private func write(_ frame: [UInt8]) {
        guard let channel else { return }
        channel.writeAndFlush(wrapOutboundOut(channel.channel.allocator.buffer(bytes: frame)), promise: nil)
    }

    private func refuse(_ reason: String) {
        if case .closed = state { return }
        state = .closed
        node.strangers.warning(.dialledPeer, "peer refused", [LogKey.peer: "\(peer)", LogKey.reason: "\(reason)"])
        close()
    }
}

/// Words for both sides of a stream.
enum StreamText {
    static func dead(inRecord: Bool) -> String {
        inRecord ? "what it began to send does not come to an end" : "it is silent, although the stream is open"
    }
}
