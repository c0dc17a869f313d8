import Consensus
import Foundation
import Jobboard
import Logging
import NIOCore
import NodeEngine
import WireFormat

/// Runs the engine on one event loop: inputs gather, and once all sockets of a loop tick were read, one turn takes them
/// all; then replies are flushed, once a connection.
///
/// `@unchecked`: everything in it is used on `loop` alone, which the entry points check.
final class EngineLoop: PeerListener, ClientListener, @unchecked Sendable {
    let loop: any EventLoop
    let logger: Logger
    let strangers: StrangerLog
    let connections: ConnectionRegistry
    private var engine: Engine
    private let disk: DiskWorker
    private let snapshots: SnapshotWorker
    private let logs: LogQueue?
    private let queues: PeerQueues
    private let failed: @Sendable (NodeError) -> Void

    private var inbox: [EngineInput] = []
    private var effects: [EngineEffect] = []
    private var isTurnScheduled = false
    private var isInTurn = false
    private var isStopped = false
    private var ticks: RepeatedTask?
    /// Fulfilled when the node may end without leaving the others leaderless.
    private var leaving: EventLoopPromise<Void>?
    private var tickCount: UInt64 = 0

    private var clients: [UInt64: ClientHandler<EngineLoop>] = [:]
    private var nextConnection: UInt64 = 1
    private var unflushed: [ClientHandler<EngineLoop>] = []
    private var clientTurns: ClientTurns<ClientHandler<EngineLoop>>
    private var isGoOnScheduled = false
    var links: [NodeID: PeerLink] = [:]
    var datagrams: DatagramPort?
    /// By which each peer's datagrams of its present run are known, as its last greeting said.
    private(set) var peerEpochs: [NodeID: UInt64] = [:]

    init(
        loop: any EventLoop, engine: Engine, disk: DiskWorker, snapshots: SnapshotWorker, connections: ConnectionRegistry,
        logger: Logger, logs: LogQueue? = nil, failed: @escaping @Sendable (NodeError) -> Void
    ) {
        self.loop = loop
        self.engine = engine
        self.disk = disk
        self.snapshots = snapshots
        self.connections = connections
        clientTurns = ClientTurns(limit: connections.budgets[.requestBytesPerTurn])
        self.logger = logger
        strangers = StrangerLog(logger: logger)
        self.logs = logs
        queues = disk.queues
        self.failed = failed
    }

    /// The monotonic clock is the one that counts the time in which the machine was suspended (CLOCK_BOOTTIME): leases and
    /// delays run on meanwhile.
    static func now() -> Moment {
        Moment(monotonic: milliseconds(CLOCK_BOOTTIME), wall: milliseconds(CLOCK_REALTIME))
    }

    private static func milliseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(max(0, time.tv_sec)) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }

    /// Time begins to pass for the engine.
    func start() {
        loop.preconditionInEventLoop()
        ticks = loop.scheduleRepeatedTask(initialDelay: .milliseconds(1), delay: .milliseconds(10)) { [weak self] _ in
            guard let self else { return }
            receive(.tick)
            tickCount += 1
            if tickCount % 20 == 0 { disk.add([.lookAround]) }
            if tickCount % 100 == 0 {
                snapshots.scrub()
                connections.sweep()
            }
            links.values.forEach { $0.tick() }
        }
    }

    /// Another leads from now on, if this node did and one is fit to; so nobody has to find out by a timeout.
    func leave() -> EventLoopFuture<Void> {
        loop.preconditionInEventLoop()
        let promise = loop.makePromise(of: Void.self)
        guard engine.replica.isLeader, leaving == nil, !isStopped else {
            promise.succeed()
            return promise.futureResult
        }
        leaving = promise
        receive(.leave)
        loop.scheduleTask(in: .seconds(1)) {
            guard let promise = self.leaving else { return }
            self.leaving = nil
            promise.succeed()
        }
        return promise.futureResult
    }

    /// The replica itself gives up a hand-over that takes too long; then it still knows itself as the leader.
    private func finishLeaving() {
        guard let promise = leaving, !engine.replica.isHandingOver, engine.replica.leader != nil else { return }
        leaving = nil
        promise.succeed()
    }

    func stop() {
        loop.preconditionInEventLoop()
        isStopped = true
        ticks?.cancel()
        connections.stopListening()
        for client in clients.values { client.close() }
        for link in links.values { link.stop() }
        datagrams?.close()
    }

    /// So many inputs make a turn at once. Where hundreds of requests come together, the first go to the disk and to the
    /// other nodes while the rest is still being read; else all nodes would wait for each other in turn.
    private static let turnInputs = 128

    func met(_ peer: NodeID, _ facts: PeerFacts) {
        loop.preconditionInEventLoop()
        peerEpochs[peer] = facts.epoch
    }

    /// The next turn will take this. The first input of a loop tick schedules the turn behind all that is being read.
    func receive(_ input: EngineInput) {
        loop.preconditionInEventLoop()
        guard !isStopped else { return }
        inbox.append(input)
        if inbox.count >= Self.turnInputs, !isInTurn { return turn() }
        scheduleTurn()
    }

    func receive(_ request: Request, from client: ClientReference, bytes: Int) {
        clientTurns.add(bytes: bytes)
        receive(.request(client, request))
    }

    var takesRequests: Bool { clientTurns.takesRequests }

    func wait(_ client: ClientHandler<EngineLoop>) {
        clientTurns.wait(client)
        scheduleTurn()
    }

    /// Asked for at the end of a turn, which may have taken longer than the timer.
    private func scheduleGoOn() {
        guard !isGoOnScheduled, !isStopped else { return }
        isGoOnScheduled = true
        loop.executeAfterSockets {
            self.isGoOnScheduled = false
            while let client = self.clientTurns.next() { client.turnCame() }
        }
    }

    /// Behind all that the loop is doing now.
    private func scheduleTurn() {
        guard !isTurnScheduled else { return }
        isTurnScheduled = true
        loop.execute {
            self.isTurnScheduled = false
            self.clientTurns.roundEnded()
            self.turn()
            if self.clientTurns.hasWaiting { self.scheduleGoOn() }
        }
    }

    private func turn() {
        guard !isStopped, !inbox.isEmpty || engine.hasDeferredWork else { return }
        isInTurn = true
        defer { isInTurn = false }
        var inputs: [EngineInput] = []
        swap(&inputs, &inbox)
        engine.step(inputs, at: Self.now(), into: &effects)
        perform()
        finishLeaving()
        // The array goes back to be filled again, so that a turn allocates none.
        inputs.removeAll(keepingCapacity: true)
        if inbox.isEmpty { swap(&inputs, &inbox) }
        // Sockets are served before it.
        if engine.hasDeferredWork { scheduleTurn() }
    }

    /// Which node is at fault, this one, and what to do next.
    private func haltText(_ reason: String) -> String {
        let next =
            links.isEmpty
            ? "restore a backup"
            : "the other nodes go on without it: keep its data folder for a report, and start it on an empty one with --rejoin"
        return "node \(engine.replica.id) stops, since its state is wrong: \(reason); \(next)"
    }

    private func perform() {
        // Taken out of the object, in which each look at one would be checked against others at the same time.
        var effects: [EngineEffect] = []
        swap(&effects, &self.effects)
        for place in effects.indices {
            guard case .halt(let reason) = effects[place] else { continue }
            // Nothing of this turn may be said or written any more: what it came from is not to be believed.
            isStopped = true
            return failed(NodeError(.failed, haltText(reason)))
        }
        var work: [DiskWorker.Work] = []
        for place in effects.indices {
            switch effects[place] {
            case .persist(let write): work.append(.write(write))
            case .load(let peer, let from, let bytes): work.append(.load(peer, from: from, maxBytes: bytes))
            case .send(let peer, let frame, .stream): links[peer]?.send(frame)
            case .send(let peer, let frame, .datagram): datagrams?.send(frame, to: peer)
            case .reply(let client, .status(let status)): reply(client, .status(completed(status)))
            case .reply(let client, let response): reply(client, response)
            case .notice(let notice): log(notice)
            case .transfer(let peer, let transfer): links[peer]?.send(transfer, from: engine.replica.id)
            case .answer(let peer, let question) where question.isAboutBlock:
                guard queues.questions.take() else { continue }
                work.append(.answer(peer, question))
            case .answer(let peer, let question):
                guard queues.questions.take() else { continue }
                snapshots.answer(question, to: peer) { [queues] in queues.questions.giveBack() }
            case .takeSnapshot(let state, let last): snapshots.take(state, upTo: last)
            case .computeDigest(let state): snapshots.computeDigest(of: state)
            case .openSnapshot(let snapshot, let table): snapshots.open(snapshot, table: table)
            case .storeChunk(let snapshot, let number, let bytes): snapshots.put(snapshot, number: number, bytes)
            case .finishSnapshot(let snapshot, let readingState): snapshots.finish(snapshot, readingState: readingState)
            case .repair(let block):
                guard queues.blocks.take(block.count) else { continue }
                work.append(.repair(block: block))
            case .combine(let block, let copies):
                work.append(.combine(block, copies, candidates: engine.settings.combinedCandidates))
            case .release(let index):
                work.append(.release(through: index))
                snapshots.removeOlder(than: index)
            case .halt: preconditionFailure("seen to above")
            }
        }
        effects.removeAll(keepingCapacity: true)
        swap(&effects, &self.effects)
        if !work.isEmpty { disk.add(work) }
        for client in unflushed { client.flush() }
        unflushed.removeAll(keepingCapacity: true)
        for link in links.values { link.flush() }
        datagrams?.flush()
    }

    /// Bulk goes out at once, outside of turns.
    func send(_ transfer: Transfer, to peer: NodeID) {
        loop.preconditionInEventLoop()
        guard !isStopped, let link = links[peer] else { return }
        link.send(transfer, from: engine.replica.id)
        link.flush()
    }

    private func reply(_ client: ClientReference, _ response: Response) {
        guard let handler = clients[client.connection] else { return }
        if handler.write(response, number: client.request) { unflushed.append(handler) }
    }

    /// The engine knows nothing of sockets and threads: what they take is added to its status here.
    private func completed(_ status: NodeStatus) -> NodeStatus {
        var status = status
        // Followers send each other no messages: that a peer lives is seen from the streams.
        for place in status.members.indices where links[NodeID(status.members[place].node)]?.isOpen == true {
            status.members[place].reachable = true
        }
        status.budgets += connections.readings
        if !links.isEmpty { status.budgets.append(PeerLink.reading(links.values, connections.budgets)) }
        status.budgets += queues.readings
        if let logs { status.budgets.append(logs.reading) }
        return status
    }

    private func log(_ notice: Notice) {
        switch notice {
        case .leader(let leader?, let term):
            logger.info("leader known", metadata: [LogKey.leader: "\(leader)", LogKey.term: "\(term)"])
        case .leader(nil, let term):
            logger.info("no leader known", metadata: [LogKey.term: "\(term)"])
        case .fetchesSnapshot(let index, let peer):
            logger.info("fetching a snapshot", metadata: [LogKey.snapshot: "\(index)", LogKey.peer: "\(peer)"])
        case .blocksMissing(0): logger.info("every block of the log is whole again")
        case .blocksMissing(let count):
            logger.error("blocks of the log have rotted; asking the other nodes", metadata: [LogKey.missing: "\(count)"])
        case .blockCombined(let index, let succeeded):
            logger.log(
                level: succeeded ? .info : .error,
                succeeded
                    ? "a block that was corrupt on every node was put together from all copies"
                    : "a block is corrupt on every node, and the copies are not enough to put it together",
                metadata: [LogKey.index: "\(index)"])
        case .snapshotMended(let index):
            logger.info("the rotten snapshot is whole again", metadata: [LogKey.snapshot: "\(index)"])
        case .snapshotLost(let index):
            logger.error(
                "no other node has the rotten snapshot; the next one takes its place", metadata: [LogKey.snapshot: "\(index)"])
        case .room(let room): log(room)
        case .readOnly(true, let room):
            logger.warning("posts are refused: the cluster's disks are short of room", metadata: [LogKey.room: "\(room.word)"])
        case .readOnly(false, _): logger.info("posts are taken again, or another node's business")
        case .memoryIsShort(let isShort, let used, let limit):
            let metadata: Logger.Metadata = [LogKey.memoryUsed: "\(used)", LogKey.memoryLimit: "\(limit)"]
            if isShort {
                logger.warning(
                    "posts are refused: the jobs take nearly all of the memory that the nodes have for them", metadata: metadata)
            } else {
                logger.info("there is memory for posts again, or it is another node's business", metadata: metadata)
            }
        case .installedSnapshot(let index):
            logger.info("went on from a fetched snapshot", metadata: [LogKey.snapshot: "\(index)"])
        case .logTimeAhead(let milliseconds):
            logger.warning(
                "log time is over a day ahead of the clocks and passes more slowly until they catch up (README: Clocks)",
                metadata: [LogKey.milliseconds: "\(milliseconds)"])
        case .snapshotsDiffer(let peer, let index):
            logger.error(
                "another node has another state, and it can't be told whose is right",
                metadata: [LogKey.peer: "\(peer)", LogKey.snapshot: "\(index)"])
        case .datagrams(let peer, let from, let to):
            let metadata: Logger.Metadata = [
                LogKey.peer: "\(peer)", LogKey.datagramsFrom: "\(from)", LogKey.datagramsTo: "\(to)",
            ]
            if from, to {
                logger.info("datagrams get through", metadata: metadata)
            } else {
                logger.warning("TCP works and datagrams are lost", metadata: metadata)
            }
        }
    }

    private func log(_ room: Room) {
        let metadata: Logger.Metadata = [LogKey.room: "\(room.word)"]
        switch room {
        case .ample: logger.info("the disk has room again", metadata: metadata)
        case .low: logger.warning("the disk is nearly full: no further segment can be made ahead", metadata: metadata)
        case .reserve: logger.warning("the disk is full: what is left is not for posts", metadata: metadata)
        case .none: logger.error("the disk is full and the reserve used up: entries wait for room", metadata: metadata)
        }
    }

    // MARK: Clients

    func add(_ client: ClientHandler<EngineLoop>) -> UInt64 {
        loop.preconditionInEventLoop()
        defer { nextConnection += 1 }
        clients[nextConnection] = client
        receive(.connectionOpened(nextConnection))
        return nextConnection
    }

    func remove(client connection: UInt64) {
        loop.preconditionInEventLoop()
        clients[connection] = nil
        receive(.connectionClosed(connection))
    }

    var hello: ClientHello {
        ClientHello(
            cluster: engine.settings.cluster, node: engine.replica.id.rawValue, leader: engine.leaderAddress,
            term: engine.ledTerm)
    }
}

/// The keys of this module's structured logs.
enum LogKey {
    static let leader = "raft.leader"
    static let term = "raft.term"
    static let peer = "peer.id"
    static let peers = "peer.ids"
    static let address = "net.address"
    static let reason = "error.reason"
    static let datagramsFrom = "datagrams.from"
    static let datagramsTo = "datagrams.to"
    static let node = "node"
    static let cluster = "cluster.name"
    static let entries = "log.entries"
    static let index = "log.index"
    static let base = "log.base"
    static let snapshot = "snapshot.index"
    static let milliseconds = "duration_ms"
    static let missing = "log.missing_blocks"
    static let unobtainable = "log.unobtainable_blocks"
    static let waitsFor = "peers.waits_for"
    static let room = "log.room"
    static let memoryUsed = "memory.used"
    static let memoryLimit = "memory.limit"
    static let commit = "log.commit"
    static let count = "count"
    static let suppressed = "suppressed"
    static let cut = "log.torn_bytes"
    static let folder = "log.folder"
    static let descriptors = "descriptors"
    static let port = "net.port"
    static let budget = "budget"
}
