import Jobboard
import JobboardClient
import NIOCore
import Testing
import WireFormat

@Suite(.timeLimit(.minutes(5))) struct WatchOverTheWireTests {
    private func event(_ position: UInt64) -> Event {
        Event(
            position: position, kind: .posted, time: Timestamp(milliseconds: 1), board: "b", job: JobID(high: 0, low: position),
            name: "n")
    }

    @Test func `a watch goes on after a lost connection without a gap or a repetition`() async throws {
        let node = try await FakeNode.start()
        let client = try JobboardClient(nodes: [node.address])
        var requests = node.requests.makeAsyncIterator()
        var events = client.watchAllBoards(from: 3).makeAsyncIterator()
        let first = try #require(await requests.next())
        #expect(first.request == .watch(board: nil, from: 3))
        first.answer(.watching(from: 3))
        first.answer(.events([event(3), event(4)]))
        #expect(try await events.next()?.position == 3)
        #expect(try await events.next()?.position == 4)
        first.hangUp()
        let second = try #require(await requests.next())
        #expect(second.request == .watch(board: nil, from: 5))
        second.answer(.watching(from: 5))
        second.answer(.events([event(4), event(5)]))
        #expect(try await events.next()?.position == 5)
        await client.shutdown()
        let error = await #expect(throws: JobboardError.self) { _ = try await events.next() }
        #expect(error?.code == .closed)
    }

    @Test func `a reader that is slower than the node gets every event`() async throws {
        let node = try await FakeNode.start()
        var options = JobboardClient.Options()
        options.watchBuffer = 4
        let client = try JobboardClient(nodes: [node.address], options: options)
        var requests = node.requests.makeAsyncIterator()
        let watch = client.watch(board: "b", from: 0)
        let request = try #require(await requests.next())
        request.answer(.watching(from: 0))
        for start in stride(from: UInt64(0), to: 20_000, by: 20) { request.answer(.events((start..<start + 20).map(event))) }
        var expected: UInt64 = 0
        for try await event in watch {
            #expect(event.position == expected)
            expected += 1
            if expected == 20_000 { break }
        }
        await client.shutdown()
    }

    @Test func `a position that is gone ends the watch with that error`() async throws {
        let node = try await FakeNode.start()
        let client = try JobboardClient(nodes: [node.address])
        var requests = node.requests.makeAsyncIterator()
        var events = client.watch(from: 1).makeAsyncIterator()
        try #require(await requests.next()).answer(.failed(JobboardError(.compacted, "from 9 on")))
        let error = await #expect(throws: JobboardError.self) { _ = try await events.next() }
        #expect(error?.code == .compacted)
        await client.shutdown()
    }

    @Test func `a watch nobody reads any more lets go of its node`() async throws {
        let node = try await FakeNode.start()
        let client = try JobboardClient(nodes: [node.address])
        var requests = node.requests.makeAsyncIterator()
        let reader = Task {
            for try await _ in client.watch() {}
        }
        let request = try #require(await requests.next())
        request.answer(.watching(from: 0))
        reader.cancel()
        try await request.channel.closeFuture.get()
        try await reader.value
        await client.shutdown()
    }
}
