import Jobboard
import Testing
import WireFormat

@testable import NodeEngine

@Suite struct ReadTests {
    private let list = Request.read(.jobs(JobsQuery(board: "default", limit: 1000)), fresh: true)

    private func filled(_ change: @escaping (inout EngineSettings) -> Void) throws -> LoneEngine {
        var node = try LoneEngine(change)
        for _ in 0..<50 { try node.turn((0..<10).map { _ in node.post() }) }
        _ = node.takeReplies()
        return node
    }

    private func pages(_ replies: [LoneEngine.Reply]) -> [ClientReference] {
        replies.filter { if case .jobs = $0.response { true } else { false } }.map(\.client)
    }

    @Test func `a burst of listings is answered over several turns, one connection after another`() throws {
        // A page takes about 70 KB.
        var node = try filled { $0.answerBytesPerTurn = 150_000 }
        try node.turn([.connectionOpened(2)])
        let greedy = (0..<20).map { _ in node.request(1, list) }
        let modest = node.request(2, list)
        try node.turn(greedy + [modest], finishing: false)
        let first = pages(node.takeReplies())
        #expect(first.count >= 1 && first.count <= 4)
        #expect(node.engine.hasDeferredWork)
        try node.turn([], finishing: false)
        let second = pages(node.takeReplies())
        #expect((first + second).prefix(2).contains(modest.client))
        try node.turn([])
        #expect(first.count + second.count + pages(node.takeReplies()).count == 21)
    }

    @Test func `a connection may have so many listings under way, and the rest is refused`() throws {
        var node = try filled { $0.listingsPerConnection = 4 }
        try node.turn([.connectionOpened(2)])
        try node.turn((0..<6).map { _ in node.request(1, list) } + [node.request(2, list)])
        let replies = node.takeReplies()
        #expect(replies.filter(\.isOverloaded).count == 2)
        #expect(pages(replies).count == 5)
        try node.turn([node.request(1, list)])
        #expect(pages(node.takeReplies()).count == 1)
    }

    @Test func `large answers for a client that does not read are held until it reads`() throws {
        var node = try filled { _ in }
        try node.turn([.connectionBlocked(1)])
        let read = node.request(1, list)
        try node.turn([read, node.request(1, .read(.jobs(JobsQuery(board: "default")), fresh: false))])
        #expect(pages(node.takeReplies()).isEmpty)
        #expect(node.engine.reads.count == 2)
        try node.turn([node.post()])
        #expect(node.takeReplies().count == 1, "the outcome of a write goes out")
        try node.turn([.connectionWritable(1)])
        #expect(pages(node.takeReplies()).count == 2)
        #expect(node.engine.reads.count == 0 && node.engine.reads.byteCount == 0)
    }

    @Test func `reads are bounded in number and bytes, and a cancelled or closed one is not answered`() throws {
        var node = try filled { $0.pendingReads = 5 }
        try node.turn([.connectionOpened(2)])
        try node.turn((0..<8).map { _ in node.request(1, .read(.count(board: "default", state: nil), fresh: true)) })
        #expect(node.takeReplies().filter(\.isOverloaded).count == 3)
        let read = node.request(1, list)
        try node.turn([read, node.request(1, .cancel(read.client.request)), node.request(2, list), .connectionClosed(2)])
        #expect(pages(node.takeReplies()) == [])
        #expect(node.engine.reads.count == 0)
        var small = try filled { $0.pendingReadBytes = 10_000 }
        try small.turn([
            small.request(1, .read(.count(board: String(repeating: "x", count: 20_000), state: nil), fresh: true))
        ])
        #expect(small.takeReplies().filter(\.isOverloaded).count == 1)
    }

    @Test func `one digest is computed at a time, and shared for a second`() throws {
        var node = try filled { _ in }
        let ask = Request.read(.digest, fresh: false)
        let first = [node.request(1, ask), node.request(1, ask)]
        try node.turn(first)
        #expect(node.digestsAsked.count == 1)
        #expect(node.takeReplies().isEmpty)
        let state = node.digestsAsked[0]
        try node.turn([.digestComputed(state.index, state.machine.fingerprint())])
        #expect(node.takeReplies().map(\.client) == first.map(\.client))
        try node.turn([node.request(1, ask)])
        #expect(node.takeReplies().count == 1 && node.digestsAsked.count == 1)
        try node.tick(1100)
        try node.turn([node.request(1, ask)])
        #expect(node.digestsAsked.count == 2)
    }
}
