import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import NodeServer

@Suite struct AfterSocketsTests {
    /// Used on its loop alone.
    private final class Reader: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = ByteBuffer
        var bytes = 0

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { bytes += unwrapInboundIn(data).readableBytes }
    }

    /// Writes a byte in each of several tasks that follow each other, and tells when the last one has run.
    private static func chain(_ rounds: Int, writingTo descriptor: CInt, on loop: any EventLoop, done: EventLoopPromise<Void>) {
        guard rounds > 0 else { return done.succeed() }
        var byte: UInt8 = 0
        guard write(descriptor, &byte, 1) == 1 else { return done.fail(ChannelError.eof) }
        loop.executeAfterSockets { chain(rounds - 1, writingTo: descriptor, on: loop, done: done) }
    }

    /// What is given to `execute` by a task that was given to it runs before the loop looks at its sockets, however often.
    @Test func `tasks that follow each other leave the sockets their turn`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let ends = UnsafeMutablePointer<CInt>.allocate(capacity: 2)
        defer { ends.deallocate() }
        try #require(pipe(ends) == 0)
        let (input, output) = (ends[0], ends[1])
        let reader = Reader()
        let channel = try await NIOPipeBootstrap(group: loop)
            .channelInitializer { $0.pipeline.addHandler(reader) }
            .takingOwnershipOfDescriptor(input: input).get()
        let done = loop.makePromise(of: Void.self)
        // One byte would do; the others are for a thread that the system suspends until the timer is due.
        loop.execute { Self.chain(20, writingTo: output, on: loop, done: done) }
        let seen = try await done.futureResult.map { reader.bytes }.get()
        #expect(seen > 0)
        close(output)
        try? await channel.close().get()
        try await group.shutdownGracefully()
    }
}
