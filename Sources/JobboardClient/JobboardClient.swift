public import Jobboard
public import Logging
import NIOConcurrencyHelpers
public import NIOCore
public import NIOPosix
public import ServiceLifecycle

/// A client of a jobboard cluster.
///
/// It connects when first used, finds the leader by itself, and keeps to it over fail-overs: a call that was on its way when a
/// connection broke is sent again under the same number, so it has its effect once and its answer arrives late rather than not
/// at all. Only when `timeout` has passed does a call end with `unavailable`; the error's `outcome` then says whether it may
/// have had its effect.
///
/// Calls may come from any number of tasks at once; they share one connection and travel in batches.
/// Except for those that wait, calls do not heed task cancellation: they end with their answer or their timeout.
public final class JobboardClient: Sendable {
    /// What a call means that names no board.
    public let board: String

    let options: Options
    let logger: Logger
    let nodes: [String]
    private let eventLoopGroup: any EventLoopGroup
    private let outbox: Outbox
    private let watches = NIOLockedValueBox(WatchRegister())

    /// A client that will talk to the given nodes.
    /// - Parameters:
    ///   - nodes: client addresses as "host:port", an IPv6 address in brackets; one node of the cluster is enough to begin with.
    ///   - board: what a call means that names no board.
    ///   - options: limits and habits.
    ///   - logger: where the client tells what goes on; nil for nowhere.
    ///   - eventLoopGroup: where its sockets live.
    /// - Throws: `invalid_argument` when there is no node, or an address can't be read.
    public init(
        nodes: [String], board: String = "default", options: Options = Options(), logger: Logger? = nil,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws(JobboardError) {
        guard !nodes.isEmpty else { throw JobboardError(.invalidArgument, "no node is named") }
        for node in nodes where NodeAddress(node) == nil {
            throw JobboardError(.invalidArgument, "'\(node)' is no host:port")
        }
        self.board = board
        self.options = options
        self.nodes = nodes
        self.logger = logger ?? Logger(label: "jobboard.client", factory: { _ in SwiftLogNoOpLogHandler() })
        self.eventLoopGroup = eventLoopGroup
        outbox = Self.start(nodes: nodes, options: options, followsLeader: true, logger: self.logger, on: eventLoopGroup.next())
    }

    deinit {
        // After a shutdown the event loop may be gone, and there is nothing left to close.
        if !watches.withLockedValue({ $0.closed }) { outbox.file(.close(nil)) }
    }

    /// Ends the client: open calls and watches end with code `closed`, the connections are closed.
    public func shutdown() async {
        let open = watches.withLockedValue { register in
            register.close()
        }
        for stop in open { stop() }
        await withCheckedContinuation { outbox.file(.close($0)) }
    }

    /// A state machine on an event loop, reached through its outbox.
    private static func start(
        nodes: [String], options: Options, followsLeader: Bool, logger: Logger, on eventLoop: any EventLoop
    ) -> Outbox {
        let connector = NodeConnector(eventLoop: eventLoop, options: options)
        let loop = NIOLoopBoundBox.makeBoxSendingValue(
            ClientLoop(
                nodes: nodes, configuration: options.machineConfiguration(followsLeader: followsLeader),
                seed: .random(in: 0 ... .max), connector: connector, logger: logger),
            eventLoop: eventLoop)
        return Outbox { outbox in
            eventLoop.execute { loop.value.drain(outbox) }
        }
    }

    /// Files a call and waits for its end.
    func ask(_ work: Work, timeout: Duration?) async -> Reply {
        let limit = (timeout ?? options.timeout).clampedNanoseconds
        return await withCallContinuation { waiter in
            outbox.file(.call(work, timeout: limit, ticket: 0, waiter))
        }
    }

    /// Files a call and waits for its end or for the task's cancellation.
    func askUnlessCancelled(_ work: Work, timeout: Duration?) async -> Reply {
        let limit = (timeout ?? options.timeout).clampedNanoseconds
        let ticket = outbox.newTicket()
        let stage = NIOLockedValueBox(CallStage.made)
        return await withTaskCancellationHandler {
            await withCallContinuation { waiter in
                // Filed under the lock, so that a cancellation is either seen here or filed after the call.
                stage.withLockedValue { stage in
                    guard stage == .made else { return waiter.resume(returning: .cancelled) }
                    stage = .filed
                    outbox.file(.call(work, timeout: limit, ticket: ticket, waiter))
                }
            }
        } onCancel: {
            stage.withLockedValue { stage in
                if stage == .filed { outbox.file(.cancel(ticket: ticket)) }
                stage = .cancelled
            }
        }
    }

    /// Asks one node, whoever leads.
    func ask(node: String, _ work: Work, timeout: Duration?) async -> Reply {
        let limit = (timeout ?? options.timeout).clampedNanoseconds
        let outbox = Self.start(
            nodes: [node], options: options, followsLeader: false, logger: logger, on: eventLoopGroup.next())
        let reply = await withCallContinuation { outbox.file(.call(work, timeout: limit, ticket: 0, $0)) }
        await withCheckedContinuation { outbox.file(.close($0)) }
        return reply
    }

    /// A new stream of events.
    func openWatch(board: String?, from: UInt64?) -> EventSequence {
        let name = watches.withLockedValue { $0.newName() }
        let (sequence, stop) = WatchLoop.start(
            WatchStateMachine(
                nodes: nodes, board: board, from: from, cluster: options.cluster,
                greeting: options.connectTimeout.clampedNanoseconds, seed: .random(in: 0 ... .max)),
            buffer: options.watchBuffer, connector: NodeConnector(eventLoop: eventLoopGroup.next(), options: options),
            logger: logger
        ) { [watches] in
            watches.withLockedValue { $0.ended(name) }
        }
        let closed = watches.withLockedValue { $0.began(name, stop: stop) }
        if closed { stop() }
        return sequence
    }

    private enum CallStage {
        case made
        case filed
        case cancelled
    }
}

extension JobboardClient: Service {
    /// Waits for the service group's graceful shutdown or for cancellation, then shuts the client down.
    public func run() async throws {
        try? await gracefulShutdown()
        await shutdown()
    }
}
