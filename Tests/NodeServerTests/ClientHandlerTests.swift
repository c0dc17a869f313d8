import Jobboard
import Logging
import NIOCore
import NIOEmbedded
import NodeEngine
import Testing
import WireFormat

@testable import NodeServer

@Suite struct ClientHandlerTests {
    /// A node that answers nothing by itself.
    private final class QuietNode: ClientListener, @unchecked Sendable {
        let logger = Logger(label: "test")
        let strangers = StrangerLog(logger: Logger(label: "test"))
        let connections: ConnectionRegistry
        let hello = ClientHello(cluster: "test", node: 1, leader: nil)
        var inputs: [EngineInput] = []
        var isGone = false

        init(_ connections: ConnectionRegistry) { self.connections = connections }

        func add(_ client: ClientHandler<QuietNode>) -> UInt64 { 1 }
        func remove(client connection: UInt64) { isGone = true }
        func receive(_ input: EngineInput) { inputs.append(input) }
        func receive(_ request: Request, from client: ClientReference, bytes: Int) {
            turns.add(bytes: bytes)
            receive(.request(client, request))
        }

        var turns = ClientTurns<ClientHandler<QuietNode>>(limit: 1 << 20)
        var takesRequests: Bool { turns.takesRequests }
        func wait(_ client: ClientHandler<QuietNode>) { turns.wait(client) }
        /// A turn is made, and the clients that waited for it go on.
        func turn() {
            turns.roundEnded()
            while let client = turns.next() { client.turnCame() }
        }

        var requests: [UInt64] {
            inputs.compactMap { if case .request(let reference, _) = $0 { reference.request } else { nil } }
        }

        /// What it has heard of the connection's writability, in order.
        var blocked: [Bool] {
            inputs.compactMap {
                switch $0 {
                case .connectionBlocked: true
                case .connectionWritable: false
                default: nil
                }
            }
        }
    }

    /// Counts how often the socket is read, and keeps what is written from being taken until it is let go.
    private final class Socket: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var reads = 0
        var isStalled = false
        private var written: [EventLoopPromise<Void>] = []

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if isStalled, let promise { written.append(promise) } else { promise?.succeed() }
        }

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            letGo()
            context.close(mode: mode, promise: promise)
        }

        /// The client has read all.
        func letGo() {
            let waiting = written
            written = []
            for promise in waiting { promise.succeed() }
        }
    }

    private struct Stage {
        let loop = EmbeddedEventLoop()
        let node: QuietNode
        let socket = Socket()
        let channel: EmbeddedChannel
        let handler: ClientHandler<QuietNode>

        init(_ change: (inout Budgets) -> Void = { _ in }) throws {
            var budgets = Budgets()
            change(&budgets)
            let registry = ConnectionRegistry(
                loop: loop, descriptorLimit: 1024, budgets: budgets, logger: Logger(label: "test"))
            node = QuietNode(registry)
            channel = EmbeddedChannel(loop: loop)
            handler = ClientHandler(node: node, accepted: registry.accept(channel, on: .client), budgets: budgets)
            try channel.pipeline.syncOperations.addHandlers([socket, handler])
            channel.pipeline.fireChannelActive()
        }

        func receive(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

        func greet() throws { try receive(ClientCodec.encode(ClientHello(cluster: "", node: 0, leader: nil))) }

        func ask(_ numbers: ClosedRange<UInt64>) throws {
            var bytes: [UInt8] = []
            for number in numbers { ClientCodec.append(.read(.status, fresh: false), number: number, to: &bytes) }
            try receive(bytes)
        }

        /// Answers with this many bytes, roughly.
        func answer(_ number: UInt64, bytes: Int = 0) {
            let text = String(repeating: "x", count: bytes)
            _ = handler.write(.failed(JobboardError(.internal, text)), number: number)
            handler.flush()
        }

        func refused(_ budget: Budget) -> UInt64? { node.connections.readings.first { $0.name == budget.name }?.refused }
    }

    @Test func `a client with too many requests unanswered is not read from until one is answered`() throws {
        let stage = try Stage { $0[.requestsPerConnection] = 3 }
        try stage.greet()
        try stage.ask(1...5)
        #expect(stage.node.requests == [1, 2, 3])
        let reads = stage.socket.reads
        stage.channel.read()
        #expect(stage.socket.reads == reads)
        stage.answer(1)
        #expect(stage.node.requests == [1, 2, 3, 4])
        #expect(stage.socket.reads == reads)
        stage.answer(2)
        #expect(stage.node.requests == [1, 2, 3, 4, 5])
        #expect(stage.socket.reads == reads)
        stage.answer(3)
        // It goes on with the socket, which asked to be read meanwhile.
        #expect(stage.socket.reads == reads + 1)
    }

    @Test func `a read that is cancelled, or whose number is taken, leaves nothing counted`() throws {
        let stage = try Stage { $0[.requestsPerConnection] = 3 }
        try stage.greet()
        for number in UInt64(1)...20 {
            try stage.ask(number...number)
            try stage.ask(number...number)
            var bytes: [UInt8] = []
            ClientCodec.append(.cancel(number), number: 0, to: &bytes)
            try stage.receive(bytes)
        }
        #expect(stage.node.requests.count == 60)
    }

    @Test func `a write that can't wait is counted, whatever time it names`() throws {
        let stage = try Stage { $0[.requestsPerConnection] = 3 }
        try stage.greet()
        let post = SessionCommand(
            session: 1, sequence: 1, acknowledgedBelow: 1,
            command: .post(board: "b", jobs: [NewJob(name: "n", details: Array("1".utf8))]))
        var bytes: [UInt8] = []
        for number in UInt64(1)...5 {
            ClientCodec.append(.write(post, Sending(term: 1, waitMilliseconds: 1000)), number: number, to: &bytes)
        }
        try stage.receive(bytes)
        #expect(stage.node.requests == [1, 2, 3])
        stage.answer(1)
        #expect(stage.node.requests == [1, 2, 3, 4])
    }

    @Test func `requests past a turn's bytes wait for the next turn, and their connection is not read from`() throws {
        let stage = try Stage()
        stage.node.turns = ClientTurns(limit: 1)
        try stage.greet()
        try stage.ask(1...3)
        #expect(stage.node.requests == [1])
        let reads = stage.socket.reads
        stage.channel.read()
        #expect(stage.socket.reads == reads)
        stage.node.turn()
        #expect(stage.node.requests == [1, 2])
        stage.node.turn()
        #expect(stage.node.requests == [1, 2, 3])
        #expect(stage.socket.reads == reads)
        stage.node.turn()
        #expect(stage.socket.reads == reads + 1)
    }

    @Test func `a client that does not read its answers is not read from until it has read half of them`() throws {
        let stage = try Stage { $0[.blockingBytes] = 10_000 }
        try stage.greet()
        try stage.ask(1...1)
        stage.socket.isStalled = true
        stage.answer(1, bytes: 9000)
        #expect(stage.node.blocked == [])
        stage.answer(2, bytes: 2000)
        #expect(stage.node.blocked == [true])
        try stage.ask(2...3)
        #expect(stage.node.requests == [1])
        let reads = stage.socket.reads
        stage.channel.read()
        #expect(stage.socket.reads == reads)
        stage.socket.letGo()
        #expect(stage.node.blocked == [true, false])
        #expect(stage.node.requests == [1, 2, 3])
        #expect(stage.socket.reads == reads + 1)
        #expect(stage.channel.isActive || !stage.node.isGone)
    }

    @Test func `a client that leaves more unread than its budget is disconnected, and that is counted`() throws {
        let stage = try Stage {
            $0[.blockingBytes] = 1000
            $0[.unsentBytesPerConnection] = 5000
        }
        try stage.greet()
        stage.socket.isStalled = true
        stage.answer(1, bytes: 4000)
        #expect(!stage.node.isGone)
        stage.answer(2, bytes: 2000)
        stage.loop.run()
        #expect(stage.node.isGone)
        #expect(stage.refused(.unsentBytesPerConnection) == 1)
    }

    @Test func `the connection that holds the most unread answers is closed when all together hold too much`() throws {
        let stage = try Stage { $0[.unsentBytes] = 5000 }
        try stage.greet()
        stage.socket.isStalled = true
        stage.answer(1, bytes: 6000)
        stage.loop.run()
        #expect(stage.node.isGone)
        #expect(stage.refused(.unsentBytes) == 1)
    }

    @Test func `a client that says nothing has as long as the budget for a greeting`() throws {
        let stage = try Stage { $0[.greetingTime] = 700 }
        stage.loop.advanceTime(by: .milliseconds(699))
        #expect(!stage.node.isGone)
        stage.loop.advanceTime(by: .milliseconds(1))
        #expect(stage.node.isGone)
        let polite = try Stage { $0[.greetingTime] = 700 }
        try polite.greet()
        polite.loop.advanceTime(by: .seconds(60))
        #expect(!polite.node.isGone)
    }

    @Test func `a request that does not come to its end is late, and one that the node keeps waiting is not`() throws {
        let stage = try Stage {
            $0[.frameTime] = 1000
            $0[.requestsPerConnection] = 1
        }
        try stage.greet()
        var bytes: [UInt8] = []
        for number in UInt64(1)...2 { ClientCodec.append(.read(.status, fresh: false), number: number, to: &bytes) }
        // Held by the node: what is here waits for an answer.
        try stage.receive(bytes)
        try stage.receive(Array(bytes.prefix(6)))
        stage.loop.advanceTime(by: .seconds(3))
        stage.node.connections.sweep()
        stage.loop.run()
        #expect(!stage.node.isGone && stage.node.requests == [1])
        stage.answer(1)
        stage.answer(2)
        #expect(stage.node.requests == [1, 2])
        // Now it is the client who does not go on with its third.
        for _ in 1...2 {
            #expect(!stage.node.isGone)
            stage.loop.advanceTime(by: .seconds(1))
            stage.node.connections.sweep()
            stage.loop.run()
        }
        #expect(stage.node.isGone)
        #expect(stage.refused(.frameTime) == 1)
    }
}
