import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Passes a TCP connection on to a port on loopback, and alters what the dialler sends when it is told to.
final class TamperingProxy: Sendable {
    private struct State {
        var target = 0
        var connections = 0
        var mask: [UInt8]?
        var tampered = 0
    }

    let port: Int
    private let listener: any Channel
    private let state: NIOLockedValueBox<State>

    init() async throws {
        let state = NIOLockedValueBox(State())
        self.state = state
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { dialled in
                dialled.eventLoop.makeCompletedFuture {
                    try dialled.pipeline.syncOperations.addHandler(Dialled(state))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = listener.localAddress?.port else { throw TestCluster.Failure(description: "no port") }
        self.port = port
    }

    deinit {
        listener.close(promise: nil)
    }

    func pass(to port: Int) {
        state.withLockedValue { $0.target = port }
    }

    /// The next bytes that come from the dialler are altered with this, once.
    func tamper(_ mask: [UInt8]) {
        state.withLockedValue { $0.mask = mask }
    }

    /// How many connections have come, and how many times bytes were altered.
    var counts: (connections: Int, tampered: Int) {
        state.withLockedValue { ($0.connections, $0.tampered) }
    }

    private static func alter(_ bytes: inout ByteBuffer, _ state: NIOLockedValueBox<State>) {
        guard let mask = state.withLockedValue({ $0.mask }), bytes.readableBytes >= mask.count else { return }
        var altered = Array(bytes.readableBytesView)
        for place in mask.indices { altered[place] ^= mask[place] }
        bytes = ByteBuffer(bytes: altered)
        state.withLockedValue {
            $0.mask = nil
            $0.tampered += 1
        }
    }

    /// Reads once there is a connection to pass it on to.
    private final class Dialled: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let state: NIOLockedValueBox<State>

        init(_ state: NIOLockedValueBox<State>) {
            self.state = state
        }

        func channelActive(context: ChannelHandlerContext) {
            let (dialled, state) = (context.channel, state)
            ClientBootstrap(group: context.eventLoop)
                .connect(host: "127.0.0.1", port: state.withLockedValue { $0.target })
                .flatMapThrowing { onward in
                    state.withLockedValue { $0.connections += 1 }
                    try dialled.pipeline.syncOperations.addHandler(
                        Passing(to: onward) { bytes in TamperingProxy.alter(&bytes, state) })
                    try onward.pipeline.syncOperations.addHandler(Passing(to: dialled) { _ in })
                }
                .flatMap { dialled.setOption(.autoRead, value: true) }
                .whenComplete { result in
                    if case .failure = result { dialled.close(promise: nil) } else { dialled.read() }
                }
        }
    }

    private final class Passing: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel
        private let alter: (inout ByteBuffer) -> Void

        init(to other: any Channel, alter: @escaping (inout ByteBuffer) -> Void) {
            self.other = other
            self.alter = alter
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            alter(&bytes)
            other.writeAndFlush(bytes, promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            other.close(promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
