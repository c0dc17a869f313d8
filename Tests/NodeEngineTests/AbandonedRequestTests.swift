import Jobboard
import Testing
import WireFormat

@testable import NodeEngine

/// What a connection had parked when it was closed.
@Suite struct AbandonedRequestTests {
    /// A node on which connection 2 has parked claims, waits and watches, and connection 3 one claim behind them.
    private func stage(_ each: Int, answersPerTurn: Int = 100) throws -> LoneEngine {
        var node = try LoneEngine { $0.parkedAnswersPerTurn = answersPerTurn }
        try node.turn([.connectionOpened(2), .connectionOpened(3)])
        var inputs: [EngineInput] = []
        for _ in 0..<each {
            inputs.append(node.claim(wait: 30_000, on: 2))
            inputs.append(node.request(2, .waitForClaimable(board: "default", milliseconds: 30_000)))
            inputs.append(node.request(2, .watch(board: nil, from: nil)))
        }
        inputs.append(node.claim(wait: 30_000, on: 3))
        try node.turn(inputs)
        try #require(node.engine.parkedCount == 3 * each + 1)
        _ = node.takeReplies()
        return node
    }

    @Test func `a closed connection's requests are removed over several turns, so that none takes long`() throws {
        var node = try stage(200)
        try node.turn([.connectionClosed(2)], finishing: false)
        #expect(node.engine.parkedCount == 601 - 50)
        #expect(node.engine.hasDeferredWork)
        var turns = 0
        while node.engine.hasDeferredWork {
            let before = node.engine.parkedCount
            try node.turn([], finishing: false)
            #expect(before - node.engine.parkedCount <= 50)
            turns += 1
        }
        #expect(turns == 11)
        #expect(node.engine.parkedCount == 1)
        #expect(node.engine.parkedBytes == ParkedClaims.bytes(of: ClaimNext(board: "default", who: "w")))
        node.engine.checkInvariants()
    }

    @Test func `a job that is posted meanwhile goes to the first claim whose connection is open`() throws {
        var node = try stage(200)
        try node.turn([.connectionClosed(2)], finishing: false)
        try node.turn([node.post()])
        let claimed = node.takeReplies().filter {
            if case .outcome(.claimed(let jobs)) = $0.response { jobs.count == 1 } else { false }
        }
        #expect(claimed.map(\.client.connection) == [3])
        #expect(node.engine.parkedCount == 0)
        #expect(!node.engine.hasDeferredWork)
    }

    @Test func `nobody is answered or given a job when the time of what is left runs out`() throws {
        var node = try stage(200)
        try node.turn([.connectionClosed(2), .connectionClosed(3)], finishing: false)
        try node.tick(40_000)
        #expect(node.engine.parkedCount == 0 && node.engine.parkedBytes == 0)
        #expect(node.takeReplies().isEmpty)
        try node.turn([node.post()])
        #expect(node.engine.state.machine.claimableCount(board: "default") == 1)
    }
}
