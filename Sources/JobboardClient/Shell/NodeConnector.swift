import Glibc
import NIOCore
import NIOPosix
import Transport

/// Opens connections to nodes, all on one event loop.
struct NodeConnector: Sendable {
    let eventLoop: any EventLoop
    let timeout: TimeAmount
    let cluster: String

    /// A watch only listens: when its node's machine is gone without a word, nothing but these questions finds out. Seconds
    /// of silence before the first, seconds between them, and how many may stay unanswered.
    private static let keepAlive: [(option: Int32, value: Int)] = [(TCP_KEEPIDLE, 5), (TCP_KEEPINTVL, 2), (TCP_KEEPCNT, 3)]

    /// Connects, and tells `owner` how it went. To be called on the event loop.
    func connect(to node: String, as connection: UInt64, owner: any NodeConversation) {
        let bound = NIOLoopBound(owner, eventLoop: eventLoop)
        guard let address = NodeAddress(node) else {
            // Not from within the call: the owner may be in the middle of carrying out other actions.
            eventLoop.execute { bound.value.disconnected(connection, because: "'\(node)' is no host:port") }
            return
        }
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { [cluster] channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = NodeChannelHandler(connection: connection, cluster: cluster, owner: bound.value)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        for (option, value) in Self.keepAlive {
            let name = NIOBSDSocket.Option(rawValue: option)
            bootstrap = bootstrap.channelOption(ChannelOptions.Types.SocketOption(level: .tcp, name: name), value: value)
        }
        // A numeric address needs no resolver, whose thread would cost a fail-over some milliseconds.
        let attempt =
            if let numeric = try? SocketAddress(ipAddress: address.host, port: address.port) {
                bootstrap.connect(to: numeric)
            } else {
                bootstrap.connect(host: address.host, port: address.port)
            }
        attempt.hop(to: eventLoop).whenFailure { error in
            bound.value.disconnected(connection, because: ConnectionTrouble.text(error))
        }
    }
}
