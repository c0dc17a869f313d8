import Jobboard
import Logging
import NIOCore
import NodeEngine
import WireFormat

/// One client's connection at the node.
final class ClientHandler<Node: ClientListener>: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Replies that a client may leave unread, in bytes; then it is disconnected, and can resume where it was.
    private static var maximumUnread: Int { 64 << 20 }
    private static var greetingTime: TimeAmount { .seconds(5) }

    private let node: Node
    private var connection: UInt64 = 0
    private var context: ChannelHandlerContext?
    private var splitter = FrameSplitter()
    private var hasGreeted = false
    private var greetingTimer: Scheduled<Void>?
    private var output: [UInt8] = []
    private var unread = 0

    init(node: Node) {
        self.node = node
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        connection = node.add(self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        greetingTimer = context.eventLoop.scheduleTask(in: Self.greetingTime) { bound.value.refuse("it said nothing in time") }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        greetingTimer?.cancel()
        node.remove(client: connection)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        splitter.append(&bytes)
        do {
            while self.context != nil {
                let maximum = hasGreeted ? Framing.maximumClientFrame : Framing.maximumHelloFrame
                guard let body = try splitter.next(maximum: maximum) else { break }
                try body.withUnsafeReadableBytes { bytes throws(WireError) in try take(bytes) }
            }
        } catch {
            refuse(hasGreeted ? "\(error)" : "this is not a jobboard client")
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that went away without a good-bye is no news.
        node.logger.debug("client connection broke", metadata: [LogKey.reason: "\(error)"])
        close()
    }

    private func take(_ body: UnsafeRawBufferPointer) throws(WireError) {
        if hasGreeted {
            let (number, request) = try ClientCodec.decodeRequest(body)
            return node.receive(.request(ClientReference(connection: connection, request: number), request))
        }
        let hello = try ClientCodec.decodeHello(body)
        hasGreeted = true
        greetingTimer?.cancel()
        output += ClientCodec.encode(node.hello)
        flush()
        _ = try ClientHello.formats.newestInCommon(with: hello.formats)
        if !hello.cluster.isEmpty, hello.cluster != node.hello.cluster { refuse("it wants cluster \"\(hello.cluster)\"") }
    }

    /// Closes the connection of somebody who can't be understood; the node goes on.
    private func refuse(_ reason: String) {
        guard let context else { return }
        node.strangers.warning(
            .client, "client disconnected",
            [LogKey.address: "\(context.remoteAddress?.description ?? "?")", LogKey.reason: "\(reason)"])
        close()
    }

    /// Adds a response to what goes out with the next flush; true when it is the first.
    func write(_ response: Response, number: UInt64) -> Bool {
        let start = output.count
        ClientCodec.append(response, number: number, to: &output)
        if output.count - start - Framing.prefixLength > Framing.maximumClientFrame {
            // Nobody could read it, and whoever asked would ask again for ever.
            output.removeSubrange(start...)
            let error = JobboardError(.tooLarge, "the answer does not fit into a frame; ask for less", outcome: .unknown)
            ClientCodec.append(.failed(error), number: number, to: &output)
        }
        return start == 0
    }

    func flush() {
        guard let context, !output.isEmpty else { return output.removeAll() }
        let count = output.count
        let buffer = context.channel.allocator.buffer(bytes: output)
        output.removeAll(keepingCapacity: count < 1 << 20)
        unread += count
        guard unread <= Self.maximumUnread else { return refuse("it does not read its replies") }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { _ in bound.value.unread -= count }
    }

    func close() {
        context?.close(promise: nil)
    }
}
