import Consensus
import EventLog
import Foundation
import Logging
import NIOCore
import NodeEngine
import NodeStorage
import WireFormat

/// Runs a node's repair on one event loop, or its wait for what its empty log means: peers reach it about snapshots and blocks
/// alone, clients to ask how it stands.
///
/// `@unchecked`: everything in it is used on `loop` alone, which the entry points check.
final class RepairLoop: PeerListener, ClientListener, @unchecked Sendable {
    let loop: any EventLoop
    let logger: Logger
    let strangers: StrangerLog
    let connections: ConnectionRegistry
    private let own: NodeID
    private let cluster: String
    private let repair: NodeRepair
    private let logs: LogQueue?
    private let done: EventLoopPromise<Void>
    private var isOver = false
    private(set) var links: [NodeID: PeerLink] = [:]
    private var ticks: RepeatedTask?
    private var reportedAt = DispatchTime.now()
    private var reportedRoom = Room.ample
    private var scarcityMessages = LineLimit(atOnce: 1)
    private var wasUnexplained: Bool
    private var clients: [UInt64: ClientHandler<RepairLoop>] = [:]
    private var nextConnection: UInt64 = 1
    private var tickCount = 0
    private let combinationQueue = DispatchQueue(label: "jobboard.combination", qos: .utility)

    init(
        loop: any EventLoop, own: NodeID, cluster: String, repair: NodeRepair, connections: ConnectionRegistry, logger: Logger,
        logs: LogQueue? = nil
    ) {
        self.loop = loop
        self.logs = logs
        self.connections = connections
        self.own = own
        self.cluster = cluster
        self.repair = repair
        wasUnexplained = repair.isUnexplained
        self.logger = logger
        strangers = StrangerLog(logger: logger)
        done = loop.makePromise()
    }

    /// Fulfilled when nothing is missing any more, or the cluster begins; fails when the disk does.
    var whenDone: EventLoopFuture<Void> { done.futureResult }

    func start(_ links: [NodeID: PeerLink]) {
        loop.preconditionInEventLoop()
        self.links = links
        ticks = loop.scheduleRepeatedTask(initialDelay: .milliseconds(1), delay: .milliseconds(50)) { [weak self] _ in
            guard let self else { return }
            self.links.values.forEach { $0.tick() }
            tickCount += 1
            if tickCount % 20 == 0 { connections.sweep() }
            advance { [repair] in try repair.tick(now: EngineLoop.now().monotonic, send: $0) }
            reportNowAndThen()
        }
    }

    /// Gives up, or is done.
    func stop() {
        loop.preconditionInEventLoop()
        end(.failure(CancellationError()))
        connections.stopListening()
        for link in links.values { link.stop() }
        links = [:]
        for client in clients.values { client.close() }
        clients = [:]
    }

    func met(_ peer: NodeID, _ facts: PeerFacts) {}

    func receive(_ input: EngineInput) {
        loop.preconditionInEventLoop()
        switch input {
        case .transfer(let peer, let transfer):
            advance { [repair] in try repair.receive(transfer, from: peer, now: EngineLoop.now().monotonic, send: $0) }
        default: break
        }
    }

    /// Answers cost next to nothing here.
    func receive(_ request: Request, from client: ClientReference, bytes: Int) {
        loop.preconditionInEventLoop()
        answer(request, client)
    }

    var takesRequests: Bool { true }
    func wait(_ client: ClientHandler<RepairLoop>) { client.turnCame() }

    // MARK: Clients

    var hello: ClientHello { ClientHello(cluster: cluster, node: own.rawValue, leader: nil) }

    func add(_ client: ClientHandler<RepairLoop>) -> UInt64 {
        loop.preconditionInEventLoop()
        defer { nextConnection += 1 }
        clients[nextConnection] = client
        return nextConnection
    }

    func remove(client connection: UInt64) {
        loop.preconditionInEventLoop()
        clients[connection] = nil
    }

    /// Whoever asks for anything but the status is sent away, so that he tries another node; once all that came with it is
    /// answered, or he would take the rest for lost on its way.
    private func answer(_ request: Request, _ client: ClientReference) {
        guard let handler = clients[client.connection] else { return }
        if case .read(.status, _) = request {
            _ = handler.write(.status(status), number: client.request)
        } else {
            _ = handler.write(.notLeader(leader: nil), number: client.request)
            loop.execute { self.clients[client.connection]?.close() }
        }
        handler.flush()
    }

    private var status: NodeStatus {
        var status = NodeStatus(cluster: cluster, node: own.rawValue, role: .repairing, term: 0)
        status.room = repair.room
        status.repair = repair.status
        status.budgets = connections.readings
        if !links.isEmpty { status.budgets.append(PeerLink.reading(links.values, connections.budgets)) }
        if let logs { status.budgets.append(logs.reading) }
        return status
    }

    // MARK: The repair

    private func advance(_ work: ((NodeID, Transfer) -> Void) throws -> Void) {
        guard !isOver else { return }
        do {
            try work { [links, own] peer, transfer in
                links[peer]?.send(transfer, from: own)
                links[peer]?.flush()
            }
        } catch {
            return end(.failure(error))
        }
        if let combination = repair.takeCombination() { run(combination) }
        if wasUnexplained, !repair.isUnexplained {
            wasUnexplained = false
            logger.warning(
                "this node has lost its log, or never had it: asking the other nodes",
                metadata: [LogKey.reason: "\(repair.reason)"])
        }
        if repair.isDone { end(.success(())) }
    }

    /// Trying candidates takes seconds where there are many; the loop goes on meanwhile.
    private func run(_ combination: BlockCombination) {
        combinationQueue.async { [loop] in
            let bytes = combination.run()
            loop.execute {
                self.advance { [repair = self.repair] in
                    try repair.combined(combination.block, bytes, now: EngineLoop.now().monotonic, send: $0)
                }
                self.logger.log(
                    level: bytes == nil ? .error : .info,
                    bytes == nil
                        ? "a block is corrupt on every node, and the copies are not enough to put it together"
                        : "a block that was corrupt on every node was put together from all copies",
                    metadata: [LogKey.index: "\(combination.block.index)"])
            }
        }
    }

    private func end(_ result: Result<Void, any Error>) {
        guard !isOver else { return }
        isOver = true
        ticks?.cancel()
        repair.close()
        done.completeWith(result)
    }

    private func reportNowAndThen() {
        if !isOver, let scarcity = repair.scarcity, scarcityMessages.take() != nil {
            logger.warning(
                "the repair waits: descriptors or memory are short", metadata: [LogKey.reason: "\(scarcity)"])
        }
        if !isOver, repair.room != reportedRoom {
            reportedRoom = repair.room
            logger.log(
                level: reportedRoom.isShort ? .error : .info,
                reportedRoom.isShort ? "the disk is full: the repair waits for room" : "the repair finds room on the disk",
                metadata: [LogKey.room: "\(reportedRoom.word)"])
        }
        let now = DispatchTime.now()
        guard !isOver, now.uptimeNanoseconds - reportedAt.uptimeNanoseconds > 5_000_000_000 else { return }
        reportedAt = now
        let waits = repair.silent.map { "\($0)" }.joined(separator: ",")
        guard !repair.isUnexplained else {
            return logger.info("a cluster begins when all its nodes are there", metadata: [LogKey.waitsFor: "\(waits)"])
        }
        logger.info(
            "still damaged",
            metadata: [
                LogKey.missing: "\(repair.missingCount)", LogKey.unobtainable: "\(repair.unobtainableCount)",
                LogKey.waitsFor: "\(waits)",
            ])
    }
}
