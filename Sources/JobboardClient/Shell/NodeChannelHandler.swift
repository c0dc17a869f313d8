import NIOCore
import Transport
import WireFormat

/// Cuts the byte stream of a node into frames and hands over what they say. Sends our hello as soon as TCP stands.
final class NodeChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connection: UInt64
    private let hello: ClientHello
    /// Gone once the end was reported, so that it is reported once.
    private var owner: (any NodeConversation)?
    private var splitter = FrameSplitter()
    private var greeted = false

    init(connection: UInt64, cluster: String, owner: any NodeConversation) {
        self.connection = connection
        self.owner = owner
        hello = ClientHello(cluster: cluster, node: 0, leader: nil)
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: ClientCodec.encode(hello))), promise: nil)
        owner?.connected(connection, channel: context.channel)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        splitter.append(&bytes)
        do {
            while owner != nil, let frame = try splitter.next(maximum: maximumFrame) { try handle(frame) }
        } catch {
            end(context, because: "bytes that make no sense: \(error)")
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        owner?.readEnded(on: connection)
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(context, because: ConnectionTrouble.text(error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context, because: "connection closed")
        context.fireChannelInactive()
    }

    private func end(_ context: ChannelHandlerContext, because reason: String) {
        guard let owner else { return }
        self.owner = nil
        owner.disconnected(connection, because: reason)
        context.close(promise: nil)
    }

    private var maximumFrame: Int { greeted ? Framing.maximumClientFrame : Framing.maximumHelloFrame }

    private func handle(_ frame: ByteBuffer) throws {
        if greeted {
            let (number, response) = try frame.withUnsafeReadableBytes { try ClientCodec.decodeResponse($0) }
            owner?.received(response, number: number, on: connection)
        } else {
            greeted = true
            let hello = try frame.withUnsafeReadableBytes { try ClientCodec.decodeHello($0) }
            _ = try ClientHello.formats.newestInCommon(with: hello.formats)
            owner?.greeted(hello, on: connection)
        }
    }
}
