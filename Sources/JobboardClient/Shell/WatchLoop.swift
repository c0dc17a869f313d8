import Jobboard
import Logging
import NIOCore
import WireFormat

/// Carries out what a watch's state machine decides. Lives on one event loop, until the watch ends.
final class WatchLoop: NodeConversation {
    /// The watch's request number; there is no other request on its connection.
    private static let number: UInt64 = 1

    private let connector: NodeConnector
    private let logger: Logger
    private let ended: @Sendable () -> Void
    private var machine: WatchStateMachine
    private var source: EventSequence.Producer.Source?
    private var channel: (any Channel)?
    private var channelConnection: UInt64 = 0
    private var timer: Scheduled<Void>?

    private init(
        _ machine: WatchStateMachine, connector: NodeConnector, logger: Logger, source: EventSequence.Producer.Source,
        ended: @escaping @Sendable () -> Void
    ) {
        self.machine = machine
        self.connector = connector
        self.logger = logger
        self.source = source
        self.ended = ended
    }

    /// Begins a watch.
    /// - Parameter ended: called once, on any thread, when it is over.
    /// - Returns: its events, and how to end it from outside.
    static func start(
        _ machine: WatchStateMachine, buffer: Int, connector: NodeConnector, logger: Logger,
        ended: @escaping @Sendable () -> Void
    ) -> (EventSequence, stop: @Sendable () -> Void) {
        let demand = WatchDemand()
        let high = max(1, buffer)
        let made = EventSequence.Producer.makeSequence(
            backPressureStrategy: .init(lowWatermark: max(1, high / 2), highWatermark: high), finishOnDeinit: false,
            delegate: demand)
        let eventLoop = connector.eventLoop
        let loop = NIOLoopBoundBox.makeBoxSendingValue(
            WatchLoop(machine, connector: connector, logger: logger, source: made.source, ended: ended), eventLoop: eventLoop)
        demand.attach(
            resume: { eventLoop.execute { loop.value.resume() } },
            end: { eventLoop.execute { loop.value.end() } })
        eventLoop.execute { loop.value.begin() }
        return (EventSequence(producer: made.sequence), { eventLoop.execute { loop.value.end() } })
    }

    private func begin() {
        perform(machine.start())
    }

    /// The reader has caught up.
    private func resume() {
        read(true)
    }

    private func end() {
        perform(machine.end(JobboardError(.closed, "the client was shut down")))
    }

    func connected(_ connection: UInt64, channel: any Channel) {
        guard let actions = machine.connected(connection, now: now) else { return channel.close(promise: nil) }
        self.channel = channel
        channelConnection = connection
        perform(actions)
    }

    func greeted(_ hello: ClientHello, on connection: UInt64) {
        perform(machine.greeted(hello, on: connection, now: now))
    }

    func received(_ response: Response, number: UInt64, on connection: UInt64) {
        guard number == Self.number else { return }
        perform(machine.received(response, on: connection, now: now))
    }

    func readEnded(on connection: UInt64) {}

    func disconnected(_ connection: UInt64, because reason: String) {
        logger.debug("watch lost its connection", metadata: ["jobboard.reason": "\(reason)"])
        if connection == channelConnection { channel = nil }
        perform(machine.disconnected(connection, now: now))
    }

    private var now: Moment {
        Moment(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds))
    }

    private func perform(_ actions: [WatchStateMachine.Action]) {
        for action in actions {
            switch action {
            case .connect(let node, let connection): connector.connect(to: node, as: connection, owner: self)
            case .close(let connection): close(connection)
            case .send(let request): send(request)
            case .deliver(let events): deliver(events)
            case .finish(let error): finish(error)
            }
        }
        armTimer()
    }

    private func close(_ connection: UInt64) {
        guard connection == channelConnection, let channel else { return }
        self.channel = nil
        channel.close(promise: nil)
    }

    private func send(_ request: Request) {
        guard let channel else { return }
        var frame: [UInt8] = []
        ClientCodec.append(request, number: Self.number, to: &frame)
        channel.writeAndFlush(channel.allocator.buffer(bytes: frame), promise: nil)
    }

    private func deliver(_ events: [Event]) {
        guard let source else { return }
        switch source.yield(contentsOf: events) {
        case .produceMore, .dropped: break
        case .stopProducing: read(false)
        }
    }

    private func finish(_ error: JobboardError) {
        source?.finish(error)
        source = nil
        ended()
    }

    /// Not reading from the socket makes TCP hold the node back.
    private func read(_ on: Bool) {
        try? channel?.syncOptions?.setOption(.autoRead, value: on)
    }

    private func armTimer() {
        timer?.cancel()
        timer = nil
        let due = machine.nextWakeup
        guard due < .never else { return }
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(max(0, due.nanoseconds)))
        timer = connector.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.perform(self.machine.wakeUp(now: self.now))
        }
    }
}
