import NIOCore
import Transport

/// Keeps a listening socket from being asked again at once when a connection can't be accepted.
///
/// For want of descriptors or memory NIO leaves the socket open and tries again, which would keep the loop busy until one is
/// free: the connection that can't be accepted stays in the queue, and the socket readable.
enum AcceptPause {
    private static let pause = TimeAmount.milliseconds(100)

    static func handlers(_ connections: ConnectionRegistry, _ port: String) -> [any ChannelHandler] {
        [
            AcceptBackoffHandler(shouldForwardIOErrorCaught: true) { _ in pause },
            AcceptFailureHandler(connections: connections, port: port),
        ]
    }
}

/// Says why no connections are accepted.
private final class AcceptFailureHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let connections: ConnectionRegistry
    private let port: String

    init(connections: ConnectionRegistry, port: String) {
        self.connections = connections
        self.port = port
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connections.cannotAccept(on: port, ConnectionTrouble.text(error))
    }
}
