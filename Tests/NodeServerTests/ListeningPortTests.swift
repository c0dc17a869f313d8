import Glibc
import Logging
import NIOCore
import NIOEmbedded
import Testing
import WireFormat

@testable import NodeServer

@Suite struct ListeningPortTests {
    private struct Taken: Error {}

    /// Sockets that are opened one after another; `failing` openings fail.
    private final class Sockets {
        let loop: EmbeddedEventLoop
        var opened: [EmbeddedChannel] = []
        var attempts = 0
        var failing: Set<Int> = []

        init(_ loop: EmbeddedEventLoop) { self.loop = loop }

        func bind() -> EventLoopFuture<any Channel> {
            attempts += 1
            guard !failing.contains(attempts) else { return loop.makeFailedFuture(Taken()) }
            opened.append(EmbeddedChannel(loop: loop))
            return loop.makeSucceededFuture(opened[opened.count - 1])
        }
    }

    private static func port(_ sockets: Sockets) -> ListeningPort {
        ListeningPort(loop: sockets.loop, name: "client_port", logger: Logger(label: "test"), bind: { sockets.bind() })
    }

    /// An embedded loop does nothing until it is run.
    private static func open(_ port: ListeningPort, _ loop: EmbeddedEventLoop) throws {
        let opening = port.open()
        loop.run()
        try opening.wait()
    }

    @Test func `a port that the system has closed is opened again, however often that fails`() throws {
        let loop = EmbeddedEventLoop()
        let sockets = Sockets(loop)
        sockets.failing = [2, 3]
        let port = Self.port(sockets)
        try Self.open(port, loop)
        sockets.opened[0].close(promise: nil)
        loop.run()
        #expect(port.channel == nil && sockets.attempts == 1)
        loop.advanceTime(by: ListeningPort.pause)
        #expect(port.channel == nil && sockets.attempts == 2)
        loop.advanceTime(by: ListeningPort.pause * 2)
        #expect(sockets.attempts == 4 && sockets.opened.count == 2)
        #expect(port.channel != nil)
        try #require(sockets.opened.count == 2)
        // And once more.
        sockets.opened[1].close(promise: nil)
        loop.advanceTime(by: ListeningPort.pause)
        #expect(port.channel != nil && sockets.opened.count == 3)
        port.close()
    }

    @Test func `a port that the node has closed stays closed`() throws {
        let loop = EmbeddedEventLoop()
        let sockets = Sockets(loop)
        let port = Self.port(sockets)
        try Self.open(port, loop)
        port.close()
        loop.advanceTime(by: .seconds(5))
        #expect(sockets.attempts == 1 && port.channel == nil)
    }

    @Test func `a port that can't be opened at the start is an error`() {
        let loop = EmbeddedEventLoop()
        let sockets = Sockets(loop)
        sockets.failing = [1]
        #expect(throws: Taken.self) { try Self.open(Self.port(sockets), loop) }
        loop.advanceTime(by: .seconds(5))
        #expect(sockets.attempts == 1)
    }
}

@Suite struct AcceptPauseTests {
    /// Counts how often the socket is asked for connections.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = Any
        var reads = 0

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }

    @Test func `a socket that has no descriptor for a connection is asked again after a pause, and the lack is counted`() throws {
        let loop = EmbeddedEventLoop()
        let registry = ConnectionRegistry(loop: loop, descriptorLimit: 1024, logger: Logger(label: "test"))
        let counter = ReadCounter()
        let channel = EmbeddedChannel(handlers: [counter] + AcceptPause.handlers(registry, "client_port"), loop: loop)
        // The pause is counted on the real clock, and ends on the loop's.
        let start = NIODeadline.now()
        let before = counter.reads
        channel.read()
        #expect(counter.reads == before + 1)
        channel.pipeline.fireErrorCaught(IOError(errnoCode: EMFILE, reason: "accept"))
        for _ in 0..<5 { channel.read() }
        #expect(counter.reads == before + 1)
        #expect(registry.readings.first { $0.name == "descriptors" }?.refused == 1)
        loop.advanceTime(to: start + .milliseconds(99))
        #expect(counter.reads == before + 1)
        loop.advanceTime(to: .now() + .milliseconds(100))
        #expect(counter.reads == before + 2)
        channel.close(promise: nil)
        loop.run()
    }
}
