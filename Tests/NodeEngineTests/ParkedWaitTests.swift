import Jobboard
import Testing
import WireFormat

@testable import NodeEngine

@Suite struct ParkedWaitTests {
    private func isReady(_ reply: LoneEngine.Reply) -> Bool? {
        if case .ready(let ready) = reply.response { ready } else { nil }
    }

    @Test func `a post wakes those that wait for its board, and nobody else`() throws {
        var node = try LoneEngine()
        let waits = ["a", "b", "a"].map { node.request(1, .waitForClaimable(board: $0, milliseconds: 5000)) }
        try node.turn(waits)
        try node.turn([node.post(board: "a")])
        #expect(node.takeReplies().filter { isReady($0) == true }.map(\.client) == [waits[0].client, waits[2].client])
        #expect(node.engine.parkedWaits.count == 1)
        try node.tick(6000)
        #expect(node.takeReplies().filter { isReady($0) == false }.map(\.client) == [waits[1].client])
    }

    @Test func `a job's end wakes those that wait for it`() throws {
        var node = try LoneEngine()
        try node.turn([node.post()])
        try node.turn([node.claim()])
        let job = try #require(node.takeReplies().compactMap(\.claimed).first?.first)
        let wait = node.request(1, .waitForEnd(job: job.id, milliseconds: 5000))
        try node.turn([wait])
        #expect(node.takeReplies().isEmpty)
        try node.turn([node.write(.consume(Holder(job: job.id, who: "w"), result: nil, followUps: []))])
        let ended = node.takeReplies().filter { $0.client == wait.client }
        guard case .job(let seen)? = ended.first?.response else { throw JobboardError(.unavailable, "no answer") }
        #expect(seen.state == .complete)
    }

    @Test func `so many waits are answered a turn, and the rest in the turns that follow`() throws {
        var node = try LoneEngine { $0.parkedAnswersPerTurn = 10 }
        try node.turn((0..<35).map { _ in node.request(1, .waitForClaimable(board: "default", milliseconds: 60_000)) })
        try node.turn([node.post()], finishing: false)
        #expect(node.engine.hasDeferredWork)
        let first = node.takeReplies().filter { isReady($0) == true }.count
        #expect(first > 0 && first <= 20)
        try node.turn([])
        #expect(first + node.takeReplies().filter { isReady($0) == true }.count == 35)
        #expect(!node.engine.hasDeferredWork)
    }

    @Test func `cancelling and closing leaves nothing behind`() throws {
        var node = try LoneEngine()
        try node.turn([.connectionOpened(2)])
        var waits: [EngineInput] = []
        for number in 0..<2000 {
            waits.append(node.request(1 + UInt64(number % 2), .waitForClaimable(board: "b\(number % 7)", milliseconds: 60_000)))
        }
        try node.turn(waits)
        #expect(node.engine.parkedCount == 2000)
        let cancels = waits.filter { $0.client.connection == 1 }.map { node.request(1, .cancel($0.client.request)) }
        try node.turn(cancels + [node.request(1, .cancel(12_345)), .connectionClosed(2)])
        #expect(node.engine.parkedCount == 0 && node.engine.parkedBytes == 0)
        try node.turn([node.post(board: "b1")])
        #expect(!node.takeReplies().contains { isReady($0) != nil })
    }

    @Test func `a board name that none can have is refused`() throws {
        var node = try LoneEngine()
        try node.turn([node.request(1, .waitForClaimable(board: String(repeating: "x", count: 100_000), milliseconds: 1000))])
        guard case .failed(let error)? = node.takeReplies().first?.response else {
            throw JobboardError(.unavailable, "no answer")
        }
        #expect(error.code == .invalidArgument)
    }
}
