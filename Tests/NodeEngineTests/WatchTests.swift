import Jobboard
import Testing
import WireFormat

@testable import NodeEngine

@Suite struct WatchTests {
    private func events(_ replies: [LoneEngine.Reply], _ client: ClientReference) -> [Event] {
        replies.filter { $0.client == client }.flatMap { reply -> [Event] in
            if case .events(let events) = reply.response { events } else { [] }
        }
    }

    @Test func `a watch from the past gets it in slices, one a turn, and then what is new`() throws {
        var node = try LoneEngine()
        for _ in 0..<50 { try node.turn((0..<100).map { _ in node.post() }) }
        _ = node.takeReplies()
        let watch = node.request(1, .watch(board: nil, from: 1))
        try node.turn([watch], finishing: false)
        let first = events(node.takeReplies(), watch.client).count
        #expect(first > 0 && first <= 2000)
        #expect(node.engine.hasDeferredWork)
        try node.turn([])
        let rest = events(node.takeReplies(), watch.client)
        #expect(first + rest.count == 5000)
        #expect(rest.map(\.position) == Array(UInt64(first + 1)...5000))
        try node.turn([node.post()])
        #expect(events(node.takeReplies(), watch.client).map(\.position) == [5001])
    }

    @Test func `a client that does not read falls behind and goes on from there`() throws {
        var node = try LoneEngine()
        try node.turn([.connectionOpened(2)])
        let watch = node.request(2, .watch(board: "default", from: nil))
        try node.turn([watch])
        try node.turn([.connectionBlocked(2)])
        for _ in 0..<10 { try node.turn([node.post(), node.post(board: "other")]) }
        #expect(events(node.takeReplies(), watch.client).isEmpty)
        #expect(!node.engine.hasDeferredWork)
        try node.turn([.connectionWritable(2)])
        #expect(events(node.takeReplies(), watch.client).map(\.position) == stride(from: 1, to: 20, by: 2).map { UInt64($0) })
        try node.turn([node.post()])
        #expect(events(node.takeReplies(), watch.client).map(\.position) == [21])
    }

    @Test func `a client that does not read until its events are forgotten is told so`() throws {
        var node = try LoneEngine { $0.rememberedEvents = 8 }
        try node.turn([.connectionOpened(2)])
        let watch = node.request(2, .watch(board: nil, from: nil))
        try node.turn([watch, .connectionBlocked(2)])
        for _ in 0..<20 { try node.turn([node.post()]) }
        _ = node.takeReplies()
        try node.turn([.connectionWritable(2)])
        guard case .failed(let error)? = node.takeReplies().first?.response else {
            throw JobboardError(.unavailable, "no answer")
        }
        #expect(error.code == .compacted)
        #expect(node.engine.parkedCount == 0)
    }

    @Test func `watches of other boards are not told, and past the turn's bytes a watch waits for the next turn`() throws {
        var node = try LoneEngine { $0.answerBytesPerTurn = 300 }
        let watches = (0..<10).map { node.request(1, .watch(board: $0 < 5 ? "default" : "other", from: nil)) }
        for watch in watches { try node.turn([watch]) }
        _ = node.takeReplies()
        try node.turn([node.post()])
        let replies = node.takeReplies()
        for watch in watches[..<5] { #expect(events(replies, watch.client).map(\.position) == [1]) }
        for watch in watches[5...] { #expect(events(replies, watch.client).isEmpty) }
    }
}
