import Consensus
import EventLog
import Foundation
package import Logging
import NIOCore
import NIOPosix
import NodeEngine
package import NodeStorage
import ServiceLifecycle
import Transport
import WireFormat

/// One node of a cluster: opens its folder, listens, and runs until it is asked to stop or must.
package final class NodeServer: Service {
    private let configuration: ClusterConfiguration
    private let own: ClusterConfiguration.Node
    private let network: NodeNetwork
    private let context: PeerContext
    private let dataFolder: String
    private let emptyLog: EmptyLog
    private let logger: Logger
    private let logs: LogQueue?

    /// `emptyLog`: what it means when nothing has ever happened in the node's log. Throws when the node is not in the
    /// configuration, or has lost its log and nobody to ask. `logs`: where the logger's lines go, for the node's status.
    package init(
        configuration: ClusterConfiguration, node: UInt64, dataFolder: String, emptyLog: EmptyLog = .unexplained, logger: Logger,
        logs: LogQueue? = nil
    ) throws(ConfigurationError) {
        let own = try configuration.node(node)
        guard emptyLog != .lost || configuration.nodes.count > 1 else {
            throw ConfigurationError("node \(node) has nobody to rejoin: it is alone in cluster \"\(configuration.cluster)\"")
        }
        network = try NodeNetwork(configuration, own: own)
        context = try PeerContext(configuration, own: own)
        self.configuration = configuration
        self.own = own
        self.emptyLog = emptyLog
        self.logs = logs
        self.dataFolder = dataFolder
        var logger = logger
        logger[metadataKey: LogKey.node] = "\(node)"
        self.logger = logger
    }

    private enum Ending: Sendable {
        case asked
        case broken(NodeError)
    }

    /// Runs the node. Returns after a graceful shutdown; throws `NodeError` when it can't start or has to stop.
    package func run() async throws {
        let descriptors = try descriptorLimit()
        let (endings, ending) = AsyncStream.makeStream(of: Ending.self)
        guard let (recovery, repairs) = try await recover(descriptors) else { return logger.info("node stopped") }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let relay = InputRelay(loop: loop)
        let disk = DiskWorker(
            log: recovery.log, lastIndex: recovery.engine.replica.log.lastIndex, repairs: repairs, folder: dataFolder,
            logger: logger, report: { relay.pass($0) },
            send: { relay.send($1, to: $0) }, failed: { ending.yield(.broken($0)) })
        let snapshots = try snapshotWorker(relay)
        let node = EngineLoop(
            loop: loop, engine: recovery.engine, disk: disk, snapshots: snapshots,
            connections: ConnectionRegistry(loop: loop, descriptorLimit: descriptors, logger: logger), logger: logger,
            logs: logs,
            failed: { ending.yield(.broken($0)) })
        relay.connect(node)
        disk.start()
        let result: Ending?
        do {
            try await listen(node, group)
            try await loop.submit {
                node.connections.countDescriptors()
                node.start()
            }.get()
            logger.info(
                "node ready", metadata: [LogKey.cluster: "\(configuration.cluster)", LogKey.address: "\(own.clientAddress)"])
            result = await withGracefulShutdownHandler {
                await endings.first { _ in true }
            } onGracefulShutdown: {
                ending.yield(.asked)
            }
        } catch {
            try? await stop(node, disk, snapshots, group)
            throw error
        }
        if case .asked? = result { try await loop.flatSubmit { node.leave() }.get() }
        try await stop(node, disk, snapshots, group)
        if case .broken(let error)? = result { throw error }
        logger.info("node stopped")
    }

    /// As many descriptors as this process may have. Throws when those are too few for a node.
    private func descriptorLimit() throws(NodeError) -> Int {
        let limit = Descriptors.raiseLimit()
        guard limit >= Descriptors.minimum else {
            throw NodeError(
                .usage,
                "this process may open \(limit) files and a node needs at least \(Descriptors.minimum); raise the limit (ulimit -Hn)"
            )
        }
        logger.info("descriptor limit", metadata: [LogKey.descriptors: "\(limit)"])
        return limit
    }

    /// The node as its folder holds it, repaired first where that is needed, and what was mended; nil when it was asked to
    /// stop meanwhile.
    private func recover(_ descriptors: Int) async throws -> (NodeRecovery, RepairStatus)? {
        var disk = try NodeOpening.lock(dataFolder)
        var repairs = RepairStatus()
        var emptyLog = emptyLog
        var attempts = 0
        while true {
            let found = try NodeOpening.open(
                configuration, node: NodeID(own.id), on: disk, folder: dataFolder, emptyLog: emptyLog, logger: logger)
            switch found {
            case nil:
                attempts += 1
                guard attempts < 30 else {
                    throw NodeError(.failed, "descriptors or memory are short, and have been for half a minute")
                }
                try await Task.sleep(for: .seconds(1))
                // What was opened in vain is closed with it.
                disk = try NodeOpening.lock(dataFolder)
            case .whole(let recovery): return (recovery, repairs)
            case .damaged(let repair):
                guard try await heal(repair, descriptors) else { return nil }
                logger.info("\(repair.outcome)")
                if repair.isBeginning { emptyLog = .beginning }
                repairs.mendedBlocks += repair.status.mendedBlocks
                repairs.mendedSnapshots += repair.status.mendedSnapshots
            }
        }
    }

    /// True when the repair is done, false when it was asked to stop.
    private func heal(_ repair: NodeRepair, _ descriptors: Int) async throws -> Bool {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let node = RepairLoop(
            loop: loop, own: NodeID(own.id), cluster: configuration.cluster, repair: repair,
            connections: ConnectionRegistry(loop: loop, descriptorLimit: descriptors, logger: logger), logger: logger,
            logs: logs)
        let result: Result<Void, any Error>
        do {
            try await listenForClients(node, group)
            // Before any peer can dial: a stream belongs to its peer's link.
            try await node.loop.submit { [self] in node.start(peerLinks(node)) }.get()
            try await listenForPeers(node, node.connections, group, context)
            try await node.loop.submit { node.connections.countDescriptors() }.get()
            result = await withGracefulShutdownHandler {
                do {
                    return .success(try await node.whenDone.get())
                } catch {
                    return .failure(error)
                }
            } onGracefulShutdown: {
                node.loop.execute { node.stop() }
            }
        } catch {
            result = .failure(error)
        }
        try await node.loop.submit { node.stop() }.get()
        try await group.shutdownGracefully()
        switch result {
        case .success: return true
        case .failure(is CancellationError): return false
        case .failure(let error as NodeError): throw error
        case .failure(let error): throw NodeError(.failed, "this node can't be repaired: \(error)")
        }
    }

    private func snapshotWorker(_ relay: InputRelay) throws(NodeError) -> SnapshotWorker {
        do {
            return try SnapshotWorker(
                folder: dataFolder, settings: configuration.engineSettings(), logger: logger, report: { relay.pass($0) },
                send: { relay.send($1, to: $0) })
        } catch {
            throw NodeError(.usage, "data folder: \(error.description)")
        }
    }

    private func stop(
        _ node: EngineLoop, _ disk: DiskWorker, _ snapshots: SnapshotWorker, _ group: MultiThreadedEventLoopGroup
    ) async throws {
        try await node.loop.submit { node.stop() }.get()
        disk.stop()
        snapshots.stop()
        try await group.shutdownGracefully()
    }

    // MARK: Sockets

    private func listen(
        _ node: EngineLoop, _ group: MultiThreadedEventLoopGroup
    ) async throws {
        try await listenForClients(node, group)
        guard configuration.nodes.count > 1 else { return }
        // Before any peer can dial: a stream belongs to its peer's link.
        try await node.loop.submit { [self] in node.links = peerLinks(node) }.get()
        try await listenForPeers(node, node.connections, group, context)
        try await openDatagrams(node, group, context)
    }

    private func peerLinks(_ node: any PeerListener) -> [NodeID: PeerLink] {
        var links: [NodeID: PeerLink] = [:]
        for peer in configuration.nodes where peer.id != own.id {
            links[NodeID(peer.id)] = PeerLink(
                peer: NodeID(peer.id), host: peer.host, port: peer.peerPort, context: context, node: node)
        }
        return links
    }

    private func listenForClients(_ node: some ClientListener, _ group: MultiThreadedEventLoopGroup) async throws {
        try await open(own.clientPort, "client_port", node.connections) { [self] in
            listener(group, node.connections, "client_port")
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let accepted = node.connections.accept(channel, on: .client)
                        let handler = ClientHandler(node: node, accepted: accepted, budgets: node.connections.budgets)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .bind(to: self.network.clientAddress)
        }
    }

    private func listenForPeers(
        _ node: any PeerListener, _ connections: ConnectionRegistry, _ group: MultiThreadedEventLoopGroup,
        _ context: PeerContext
    ) async throws {
        try await open(own.peerPort, "peer_port", connections) { [self] in
            listener(group, connections, "peer_port")
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelOption(PeerContext.userTimeout, value: PeerContext.deadAfterMilliseconds)
                // Blocks come in large pieces; small reads would cost a system call each.
                .childChannelOption(
                    .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 65_536, maximum: 1 << 20)
                )
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let accepted = connections.accept(channel, on: .peer)
                        try channel.pipeline.syncOperations.addHandler(
                            PeerAcceptHandler(context: context, node: node, accepted: accepted))
                    }
                }
                .bind(to: self.network.peerAddress)
        }
    }

    /// A listening socket that outlives a lack of descriptors.
    private func listener(
        _ group: MultiThreadedEventLoopGroup, _ connections: ConnectionRegistry, _ name: String
    ) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(AcceptPause.handlers(connections, name))
                }
            }
    }

    private func openDatagrams(
        _ node: EngineLoop, _ group: MultiThreadedEventLoopGroup, _ context: PeerContext
    ) async throws {
        if !network.otherFamily.isEmpty {
            logger.warning(
                "peers have addresses of the other family, IPv4 or IPv6: heartbeats to them go by TCP",
                metadata: [
                    LogKey.address: "\(network.peerAddress)",
                    LogKey.peers: "\(network.otherFamily.map { "\($0)" }.joined(separator: ","))",
                ])
        }
        // A peer whose name is not known yet is reached by TCP until this node starts again.
        let seal = DatagramSeal(
            secret: context.secret, cluster: context.cluster, own: context.own, epoch: context.epoch)
        let known = network.datagramAddresses
        try await bind(own.peerPort, "peer_port (UDP)") {
            DatagramBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let port = DatagramPort(node: node, addresses: known, seal: seal)
                        try channel.pipeline.syncOperations.addHandler(port)
                        node.datagrams = port
                    }
                }
                .bind(to: self.network.peerAddress)
        }
    }

    /// Listens on a port until the registry's node ends.
    private func open(
        _ port: Int, _ key: String, _ connections: ConnectionRegistry, _ start: @escaping () -> EventLoopFuture<any Channel>
    ) async throws {
        let listening = ListeningPort(loop: connections.loop, name: key, logger: logger, bind: start)
        try await bind(port, key) { listening.open() }
        try await connections.loop.submit { connections.ports.append(listening) }.get()
    }

    private func bind<Opened: Sendable>(_ port: Int, _ key: String, _ start: () -> EventLoopFuture<Opened>) async throws {
        do {
            _ = try await start().get()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw NodeError(.usage, "port \(port) on \(own.host) is taken (\(key) of node \(own.id))")
        } catch {
            throw NodeError(
                .usage, "can't listen on \(own.host):\(port) (\(key) of node \(own.id)): \(ConnectionTrouble.text(error))")
        }
    }
}

/// Carries what the disk says to the engine's loop; made before the engine's side exists.
///
/// `@unchecked`: `node` is set once, before the disk has anything to do.
private final class InputRelay: @unchecked Sendable {
    private let loop: any EventLoop
    private weak var node: EngineLoop?

    init(loop: any EventLoop) {
        self.loop = loop
    }

    func connect(_ node: EngineLoop) {
        self.node = node
    }

    func pass(_ input: EngineInput) {
        loop.execute { self.node?.receive(input) }
    }

    func send(_ transfer: Transfer, to peer: NodeID) {
        loop.execute { self.node?.send(transfer, to: peer) }
    }
}
