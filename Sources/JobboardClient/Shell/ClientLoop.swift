import Jobboard
import Logging
import NIOCore
import WireFormat

/// Carries out what the client's state machine decides. Lives on one event loop.
final class ClientLoop: NodeConversation {
    typealias Waiter = Outbox.Waiter

    private let connector: NodeConnector
    private let logger: Logger
    private var machine: ClientStateMachine<Waiter>
    private var channel: (any Channel)?
    /// Which connection `channel` belongs to.
    private var channelConnection: UInt64 = 0
    private var timer: Scheduled<Void>?
    private var timerAt = Moment.never
    /// What the read in progress asks for, carried out at its end.
    private var gathered = Actions<Waiter>()
    /// When the first answer of the read in progress was handed over: one look at the clock a read.
    private var readAt: Moment?
    /// The bytes of one flush; kept for its memory.
    private var frames: [UInt8] = []
    private var emptied: [Outbox.Item] = []
    private var closing: [CheckedContinuation<Void, Never>] = []
    private var closed = false

    init(
        nodes: [String], configuration: ClientStateMachine<Waiter>.Configuration, seed: UInt64, connector: NodeConnector,
        logger: Logger
    ) {
        machine = ClientStateMachine(nodes: nodes, configuration: configuration, seed: seed) {
            // The system's generator: whoever guesses a token can act under the session.
            SessionToken(high: .random(in: 0...(.max)), low: .random(in: 0...(.max)))
        }
        self.connector = connector
        self.logger = logger
    }

    /// Handles everything that callers filed.
    func drain(_ outbox: Outbox) {
        var items = outbox.takeAll(for: emptied)
        let now = self.now
        var actions = Actions<Waiter>()
        for item in items {
            switch item {
            case .call(let work, let timeout, let ticket, let waiter):
                machine.submit(work, timeout: timeout, ticket: ticket, waiter: waiter, now: now, actions: &actions)
            case .cancel(let ticket):
                machine.cancel(ticket: ticket, now: now, actions: &actions)
            case .close(let waiter):
                close(waiter, now: now, actions: &actions)
            }
        }
        items.removeAll(keepingCapacity: true)
        emptied = items
        machine.pump(now: now, actions: &actions)
        perform(actions)
    }

    private func close(_ waiter: CheckedContinuation<Void, Never>?, now: Moment, actions: inout Actions<Waiter>) {
        if closed {
            waiter?.resume()
        } else {
            if let waiter { closing.append(waiter) }
            machine.close(now: now, actions: &actions)
        }
    }

    func connected(_ connection: UInt64, channel: any Channel) {
        guard machine.connected(connection, now: now) else { return channel.close(promise: nil) }
        self.channel = channel
        channelConnection = connection
        perform(Actions())
    }

    func greeted(_ hello: ClientHello, on connection: UInt64) {
        logger.debug(
            "node greeted", metadata: ["jobboard.node.id": "\(hello.node)", "jobboard.leader": "\(hello.leader ?? "unknown")"])
        machine.greeted(hello, on: connection, now: now, actions: &gathered)
    }

    func received(_ response: Response, number: UInt64, on connection: UInt64) {
        let moment = readAt ?? now
        readAt = moment
        machine.received(response, number: number, on: connection, now: moment, actions: &gathered)
    }

    func readEnded(on connection: UInt64) {
        readAt = nil
        var actions = Actions<Waiter>()
        swap(&actions, &gathered)
        machine.pump(now: now, actions: &actions)
        perform(actions)
    }

    func disconnected(_ connection: UInt64, because reason: String) {
        logger.debug(
            "connection lost", metadata: ["jobboard.connection": "\(connection)", "jobboard.reason": "\(reason)"])
        var actions = Actions<Waiter>()
        swap(&actions, &gathered)
        if connection == channelConnection { channel = nil }
        machine.disconnected(connection, because: reason, now: now, actions: &actions)
        machine.pump(now: now, actions: &actions)
        perform(actions)
    }

    private var now: Moment {
        Moment(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds))
    }

    private func wakeUp() {
        timer = nil
        timerAt = .never
        var actions = Actions<Waiter>()
        machine.wakeUp(now: now, actions: &actions)
        perform(actions)
    }

    private func perform(_ actions: consuming Actions<Waiter>) {
        send(&actions)
        if let channel, actions.closes.contains(channelConnection) {
            self.channel = nil
            channel.close(promise: nil)
        }
        if let connect = actions.connect {
            logger.debug("connecting", metadata: ["jobboard.node": "\(connect.node)"])
            connector.connect(to: connect.node, as: connect.connection, owner: self)
        }
        for completion in actions.completions { completion.waiter.resume(returning: completion.reply) }
        if actions.finished { finish() }
        armTimer()
    }

    /// Encodes all requests into one buffer and flushes once.
    private func send(_ actions: inout Actions<Waiter>) {
        guard !actions.sends.isEmpty, let channel else { return }
        frames.removeAll(keepingCapacity: true)
        for send in actions.sends {
            if let refusal = send.request.refusal {
                machine.unsendable(send.number, refusal, actions: &actions)
                continue
            }
            let start = frames.count
            ClientCodec.append(send.request, number: send.number, to: &frames)
            guard frames.count - start - Framing.prefixLength > Framing.maximumClientFrame else { continue }
            frames.removeSubrange(start...)
            let error = JobboardError(.tooLarge, "the request does not fit into a frame of \(Framing.maximumClientFrame) bytes")
            machine.unsendable(send.number, error, actions: &actions)
        }
        guard !frames.isEmpty else { return }
        channel.writeAndFlush(channel.allocator.buffer(bytes: frames), promise: nil)
    }

    private func finish() {
        closed = true
        for waiter in closing { waiter.resume() }
        closing.removeAll()
    }

    /// One timer, moved only when something is due earlier; waking up too early does no harm.
    private func armTimer() {
        let due = machine.nextWakeup
        guard due < timerAt else { return }
        timer?.cancel()
        timerAt = due
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(max(0, due.nanoseconds)))
        timer = connector.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.wakeUp() }
    }
}
