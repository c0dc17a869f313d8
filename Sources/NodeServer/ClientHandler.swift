import Jobboard
import Logging
import NIOCore
import NodeEngine
import Transport
import WireFormat

/// One client's connection at the node.
///
/// A client that does not read its answers, or has too many requests unanswered, is not read from until that has changed.
final class ClientHandler<Node: ClientListener>: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let node: Node
    private let accepted: AcceptedConnection
    private let budgets: Budgets
    private var connection: UInt64 = 0
    private var context: ChannelHandlerContext?
    private var splitter = FrameSplitter()
    private var hasGreeted = false
    private var greetingTimer: Scheduled<Void>?
    private var output: [UInt8] = []
    /// Handed to the channel and not yet taken by the system, in bytes.
    private var unsent = 0
    /// More than `blocking_bytes` are unsent, as the engine has heard.
    private var isBlocked = false
    /// Requests under way that are answered when their time comes, not at once: waits, watches, claims that wait.
    private var waiting: Set<UInt64> = []
    /// Reads under way. A read that is cancelled gets no answer, and one whose number is taken gets none of its own.
    private var reads: Set<UInt64> = []
    /// Other requests under way that are answered at once, and always.
    private var writes = 0
    /// The node has taken all that it may for this turn, and says when this connection may go on.
    private var waitsForTurn = false
    /// The channel asked to be read while the connection was held.
    private var wantsRead = false
    private var isTaking = false

    init(node: Node, accepted: AcceptedConnection, budgets: Budgets) {
        self.node = node
        self.accepted = accepted
        self.budgets = budgets
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        connection = node.add(self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        greetingTimer = context.eventLoop.scheduleTask(in: .milliseconds(Int64(budgets[.greetingTime]))) {
            bound.value.refuse("it said nothing in time")
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        greetingTimer?.cancel()
        splitter = FrameSplitter()
        node.remove(client: connection)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that went away without a good-bye is no news.
        node.logger.debug("client connection broke", metadata: [LogKey.reason: "\(ConnectionTrouble.text(error))"])
        close()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        splitter.append(&bytes)
        takeFrames()
    }

    /// The channel is about to be read.
    func read(context: ChannelHandlerContext) {
        guard !isHeld else { return wantsRead = true }
        context.read()
    }

    /// The client has to read, or to wait for answers or for its turn, before it is heard again.
    private var isHeld: Bool { isBlocked || waitsForTurn || accepted.requests >= budgets[.requestsPerConnection] }

    private func takeFrames() {
        guard !isTaking else { return }
        isTaking = true
        defer { isTaking = false }
        var hasAdvanced = false
        do {
            while context != nil, !isHeld {
                if hasGreeted, !node.takesRequests {
                    waitsForTurn = true
                    node.wait(self)
                    break
                }
                let maximum = hasGreeted ? Framing.maximumClientFrame : Framing.maximumHelloFrame
                guard let body = try splitter.next(maximum: maximum) else { break }
                hasAdvanced = true
                try body.withUnsafeReadableBytes { bytes throws(WireError) in try take(bytes) }
            }
        } catch {
            refuse(hasGreeted ? "\(error)" : "this is not a jobboard client")
        }
        accepted.received(left: splitter.count, hasAdvanced: hasAdvanced, isHeld: isHeld)
    }

    /// Goes on with what is here already and then with the socket.
    private func goOnReading() {
        guard wantsRead || splitter.count > 0, !isHeld, !isTaking else { return }
        takeFrames()
        guard wantsRead, !isHeld else { return }
        wantsRead = false
        context?.read()
    }

    /// The node takes requests again.
    func turnCame() {
        waitsForTurn = false
        goOnReading()
    }

    private func take(_ body: UnsafeRawBufferPointer) throws(WireError) {
        if hasGreeted {
            let (number, request) = try ClientCodec.decodeRequest(body)
            began(request, number)
            let client = ClientReference(connection: connection, request: number)
            return node.receive(request, from: client, bytes: body.count)
        }
        let hello = try ClientCodec.decodeHello(body)
        hasGreeted = true
        greetingTimer?.cancel()
        guard accepted.greeted() else { return close() }
        output += ClientCodec.encode(node.hello)
        flush()
        _ = try ClientHello.formats.newestInCommon(with: hello.formats)
        if !hello.cluster.isEmpty, hello.cluster != node.hello.cluster { refuse("it wants cluster \"\(hello.cluster)\"") }
    }

    private func began(_ request: Request, _ number: UInt64) {
        switch request {
        case .write(let call, let sending) where sending.waitMilliseconds > 0 && call.command.mayWait: waiting.insert(number)
        case .write, .session: writes += 1
        case .read: reads.insert(number)
        case .waitForClaimable, .waitForEnd, .watch: waiting.insert(number)
        case .cancel(let other):
            waiting.remove(other)
            reads.remove(other)
        }
        accepted.requests = writes + reads.count
    }

    private func ended(_ number: UInt64, with response: Response) {
        switch response {
        case .watching, .events: return
        default: break
        }
        // The answer to something that was cancelled when it was on its way already belongs to neither; so this counts low rather
        // than high.
        if !waiting.isEmpty, waiting.remove(number) != nil { return }
        if reads.isEmpty || reads.remove(number) == nil { writes = max(0, writes - 1) }
        accepted.requests = writes + reads.count
    }

    /// Closes the connection of a client that can't be understood; the node goes on.
    private func refuse(_ reason: String) {
        guard let context else { return }
        node.strangers.warning(
            .client, "client disconnected",
            [LogKey.address: "\(context.remoteAddress?.description ?? "?")", LogKey.reason: "\(reason)"])
        close()
    }

    // MARK: Answers

    /// Adds a response to what goes out with the next flush; true when it is the first.
    func write(_ response: Response, number: UInt64) -> Bool {
        ended(number, with: response)
        let start = output.count
        ClientCodec.append(response, number: number, to: &output)
        if output.count - start - Framing.prefixLength > Framing.maximumClientFrame {
            // Nobody could read it, and whoever asked would ask again for ever.
            output.removeSubrange(start...)
            let error = JobboardError(.tooLarge, "the answer does not fit into a frame; ask for less", outcome: .unknown)
            ClientCodec.append(.failed(error), number: number, to: &output)
        }
        return start == 0
    }

    func flush() {
        guard let context, !output.isEmpty else { return output.removeAll() }
        let count = output.count
        let buffer = context.channel.allocator.buffer(bytes: output)
        output.removeAll(keepingCapacity: count < 64 << 10)
        unsent += count
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(buffer)).whenComplete { result in
            bound.value.unsent -= count
            // A connection that is being closed is not read from again, however much of it is here: nobody waits for the answers.
            if case .success = result { bound.value.sent() }
        }
        unsentChanged()
        goOnReading()
    }

    private func sent() {
        unsentChanged()
        goOnReading()
    }

    private func unsentChanged() {
        guard context != nil else { return }
        accepted.holds(unsent: unsent)
        if unsent > budgets[.unsentBytesPerConnection] {
            node.connections.exceeded(.unsentBytesPerConnection)
            return refuse("it does not read its replies")
        }
        let limit = budgets[.blockingBytes]
        if !isBlocked, unsent > limit {
            isBlocked = true
            node.receive(.connectionBlocked(connection))
        } else if isBlocked, unsent <= limit / 2 {
            isBlocked = false
            node.receive(.connectionWritable(connection))
        }
    }

    func close() {
        context?.close(promise: nil)
    }
}

extension Command {
    /// Whether it may be kept until there is a job for it.
    fileprivate var mayWait: Bool {
        if case .claimNext = self { true } else { false }
    }
}
