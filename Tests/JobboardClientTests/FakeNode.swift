import Jobboard
import JobboardClient
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Transport
import WireFormat

/// A node that speaks the protocol and has no board: the test reads what the client asks and says what to answer.
/// Only sessions it opens by itself.
final class FakeNode: Sendable {
    /// A request, and where its answer goes.
    struct Received: Sendable {
        let number: UInt64
        let request: Request
        let channel: any Channel

        func answer(_ response: Response) {
            var frame: [UInt8] = []
            ClientCodec.append(response, number: number, to: &frame)
            channel.writeAndFlush(channel.allocator.buffer(bytes: frame), promise: nil)
        }

        /// Ends the connection without an answer.
        func hangUp() {
            channel.close(promise: nil)
        }

        var command: SessionCommand? {
            if case .write(let command, _) = request { command } else { nil }
        }
    }

    let address: String
    /// What clients asked, apart from sessions.
    let requests: AsyncStream<Received>
    private let continuation: AsyncStream<Received>.Continuation
    private let server: any Channel

    /// - Parameters:
    ///   - leader: who leads, in the hello; nil says that this node does.
    ///   - peer: a node whose `requests` shall have this one's requests too.
    static func start(leader: String? = nil, beside peer: FakeNode? = nil) async throws -> FakeNode {
        let made = AsyncStream.makeStream(of: Received.self)
        let (stream, continuation) = peer.map { ($0.requests, $0.continuation) } ?? (made.stream, made.continuation)
        let sessions = NIOLockedValueBox<UInt64>(1)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let port = channel.parent?.localAddress?.port ?? 0
                    let hello = ClientHello(cluster: "test", node: 1, leader: leader ?? "127.0.0.1:\(port)")
                    try channel.pipeline.syncOperations.addHandler(
                        FakeNodeHandler(hello: hello, sessions: sessions, requests: continuation))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FakeNode(server: server, requests: stream, continuation: continuation)
    }

    private init(server: any Channel, requests: AsyncStream<Received>, continuation: AsyncStream<Received>.Continuation) {
        self.server = server
        self.continuation = continuation
        self.requests = requests
        address = "127.0.0.1:\(server.localAddress?.port ?? 0)"
    }

    /// No new connections from now on.
    func stop() async throws {
        try await server.close()
    }
}

private final class FakeNodeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let hello: ClientHello
    private let sessions: NIOLockedValueBox<UInt64>
    private let requests: AsyncStream<FakeNode.Received>.Continuation
    private var splitter = FrameSplitter()
    private var greeted = false

    init(
        hello: ClientHello, sessions: NIOLockedValueBox<UInt64>, requests: AsyncStream<FakeNode.Received>.Continuation
    ) {
        self.hello = hello
        self.sessions = sessions
        self.requests = requests
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: ClientCodec.encode(hello))), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        splitter.append(&bytes)
        do {
            while let frame = try splitter.next(maximum: Framing.maximumClientFrame) { try handle(frame, context.channel) }
        } catch {
            context.close(promise: nil)
        }
    }

    private func handle(_ frame: ByteBuffer, _ channel: any Channel) throws {
        guard greeted else {
            greeted = true
            _ = try frame.withUnsafeReadableBytes { try ClientCodec.decodeHello($0) }
            return
        }
        let (number, request) = try frame.withUnsafeReadableBytes { try ClientCodec.decodeRequest($0) }
        let received = FakeNode.Received(number: number, request: request, channel: channel)
        if case .session = received.request {
            let session = sessions.withLockedValue { next in
                defer { next += 1 }
                return next
            }
            received.answer(.outcome(.sessionOpened(session)))
        } else {
            requests.yield(received)
        }
    }
}
