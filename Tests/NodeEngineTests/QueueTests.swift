import Consensus
import Jobboard
import Testing
import WireFormat

@testable import NodeEngine

@Suite struct QueueTests {
    /// A post that is nearly as large as one may be.
    private func largePost(_ node: inout LoneEngine) -> EngineInput {
        let details = Array("\"\(String(repeating: "x", count: 250_000))\"".utf8)
        return node.write(.post(board: "b", jobs: (0..<15).map { _ in NewJob(name: "n", details: details) }))
    }

    /// Eleven of the largest commands, released together, once exceeded the bound that the engine checks after each turn.
    @Test func `commands of hostile size never break the bound of the queue`() throws {
        var node = try LoneEngine()
        try node.turn([node.post()])
        _ = node.takeReplies()
        node.diskIsStalled = true
        try node.turn((0..<11).map { _ in largePost(&node) })
        let refused = node.takeReplies().filter(\.isOverloaded).count
        #expect(refused > 0 && refused < 11)
        #expect(node.engine.waiting.byteCount <= 16 << 20)
        node.diskIsStalled = false
        try node.turn([])
        #expect(node.engine.waiting.byteCount == 0)
    }

    /// Fourteen posts of 4 MiB that came together were all read through, though the queue has room for three.
    @Test func `a post without room in the queue is refused before its texts are read`() throws {
        var node = try LoneEngine()
        node.diskIsStalled = true
        try node.turn([node.post()])
        try node.turn((0..<11).map { _ in largePost(&node) })
        #expect(node.takeReplies().filter(\.isOverloaded).count > 0)
        let noJSON = NewJob(name: "n", details: Array(repeating: UInt8(ascii: "x"), count: 250_000))
        try node.turn([node.write(.post(board: "b", jobs: (0..<15).map { _ in noJSON }))])
        #expect(node.takeReplies().map(\.isOverloaded) == [true])
        node.diskIsStalled = false
        try node.turn([])
    }

    @Test func `with a full queue what was answered before is answered again, and so is a post of jobs that are there`() throws {
        var node = try LoneEngine()
        let (first, sent) = (largePost(&node), node.engine.ledTerm)
        guard case .request(_, .write(let call, _)) = first else { preconditionFailure("no write") }
        try node.turn([first])
        _ = node.takeReplies()
        node.diskIsStalled = true
        try node.turn([node.post()])
        try node.turn((0..<11).map { _ in largePost(&node) })
        #expect(node.takeReplies().filter(\.isOverloaded).count > 0)
        let copy = node.request(1, .write(call, Sending(term: sent, waitMilliseconds: 0)))
        let again = node.write(call.command)
        try node.turn([copy, again])
        node.diskIsStalled = false
        try node.turn([])
        let answers = node.takeReplies()
        for client in [copy.client, again.client] {
            let answer = answers.first { $0.client == client }
            guard case .outcome(.posted(let jobs, let duplicates)) = answer?.response else {
                Issue.record("not answered again: \(String(describing: answer).prefix(200))")
                continue
            }
            #expect(jobs.count == 15)
            #expect(duplicates == Array(repeating: client == again.client, count: 15))
        }
    }

    @Test func `parked claims of hostile size that are released together are bounded`() throws {
        var node = try LoneEngine {
            ($0.waitingBytes, $0.largestCommand, $0.parkedBytes) = (1500, 600, 7 * 520 + 200)
        }
        let want = ClaimNext(board: "default", who: String(repeating: "w", count: 250))
        try node.turn((0..<11).map { _ in node.write(.claimNext(want), wait: 60_000) })
        #expect(node.engine.parkedClaims.count == 7 && node.engine.parkedBytes <= 7 * 520 + 200)
        #expect(node.refused(.parkedBytes) == 4 && node.refused(.parkedRequests) == 0)
        for _ in 0..<12 { try node.turn((0..<12).map { _ in node.post() }) }
        #expect(node.engine.waiting.byteCount == 0)
    }

    @Test func `early writes are bounded in number and bytes`() throws {
        var node = try LoneEngine({ $0.earlyWrites = 20 }, leads: false)
        node.diskIsStalled = true
        try node.turn([.connectionOpened(1)])
        for _ in 0..<200 where !node.engine.replica.isLeader {
            node.diskIsStalled = false
            try node.tick()
            node.diskIsStalled = true
        }
        guard node.engine.replica.isLeader, !node.engine.replica.termIsOpen else { return }
        let details = Array("\"\(String(repeating: "x", count: 4 << 20))\"".utf8)
        try node.turn((0..<8).map { _ in node.write(.post(board: "b", jobs: [NewJob(name: "n", details: details)])) })
        #expect(node.takeReplies().filter(\.isOverloaded).count > 0)
        #expect(node.refused(.earlyWrites) ?? 0 > 0)
        #expect(node.engine.early.byteCount <= 16 << 20)
    }

    @Test func `copies of one claim are bounded`() throws {
        var node = try LoneEngine()
        try node.turn([node.post()])
        _ = node.takeReplies()
        node.diskIsStalled = true
        let call = SessionCommand(
            session: node.session, sequence: 900, acknowledgedBelow: 1, command: .claimNext(ClaimNext(board: "default", who: "w"))
        )
        try node.turn(
            (0..<40).map { _ in node.request(1, .write(call, Sending(term: node.engine.ledTerm, waitMilliseconds: 1000))) })
        #expect(node.takeReplies().filter(\.isOverloaded).count == 40 - 1 - ClaimCopies.perClaim)
        #expect(node.refused(.claimCopies) == UInt64(40 - 1 - ClaimCopies.perClaim))
        node.diskIsStalled = false
        try node.turn([])
        let answers = node.takeReplies().compactMap(\.claimed)
        #expect(answers.count == 1 + ClaimCopies.perClaim && answers.allSatisfy { $0.count == 1 })
    }
}

extension LoneEngine {
    /// How often status says that a budget was exceeded.
    func refused(_ budget: Budget) -> UInt64? { engine.budgetReadings.first { $0.name == budget.name }?.refused }
}
