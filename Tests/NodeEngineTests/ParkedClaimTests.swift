import Jobboard
import Testing
import WireFormat

@testable import NodeEngine

@Suite struct ParkedClaimTests {
    @Test func `one post wakes one claim, the first that it fits`() throws {
        var node = try LoneEngine()
        let inputs = [node.claim("other"), node.claim("work"), node.claim(), node.claim("work")]
        try node.turn(inputs)
        #expect(node.takeReplies().isEmpty)
        #expect(node.engine.parkedClaims.count == 4)
        let commands = node.engine.state.index
        try node.turn([node.post()])
        let claims = node.takeReplies().filter { $0.claimed != nil }
        #expect(claims.map(\.client) == [inputs[1].client])
        #expect(claims.first?.claimed?.count == 1)
        // The post, and the one claim that it woke.
        #expect(node.engine.state.index == commands + 2)
        #expect(node.engine.parkedClaims.count == 3)
        try node.turn([node.post()])
        #expect(node.takeReplies().filter { $0.claimed != nil }.map(\.client) == [inputs[2].client])
    }

    /// Other sessions may make a leader forget what it answered under higher numbers.
    @Test func `a claim that waits is served although later answers of its session are forgotten`() throws {
        var node = try LoneEngine { $0.effectlessAnswers = 4 }
        let parked = node.claim()
        try node.turn([parked])
        for _ in 0..<10 { try node.turn([node.claim(board: "empty", wait: 0)]) }
        #expect(node.takeReplies().count == 10)
        try node.turn([node.post()])
        #expect(node.takeReplies().filter { $0.claimed?.count == 1 }.map(\.client) == [parked.client])
    }

    @Test func `a claim of some priorities is served by a job of one of them`() throws {
        var node = try LoneEngine()
        let high = node.claim(priorities: [.high, .veryHigh])
        let low = node.claim("work", priorities: [.low])
        try node.turn([high, low])
        try node.turn([node.post(priority: .normal), node.post(priority: .low)])
        #expect(node.takeReplies().filter { $0.claimed != nil }.map(\.client) == [low.client])
        try node.turn([node.post(priority: .veryHigh)])
        #expect(node.takeReplies().filter { $0.claimed != nil }.map(\.client) == [high.client])
    }

    @Test func `a delay that ends and a lease that runs out wake a claim`() throws {
        var node = try LoneEngine()
        try node.turn([node.post(delay: 500)])
        let first = node.claim()
        try node.turn([first])
        _ = node.takeReplies()
        try node.tick(200)
        #expect(node.takeReplies().isEmpty)
        try node.tick(400)
        try node.tick()
        #expect(node.takeReplies().filter { $0.claimed?.count == 1 }.map(\.client) == [first.client])
        let second = node.claim()
        try node.turn([second])
        try node.tick(31_000)
        try node.tick()
        #expect(node.takeReplies().isEmpty, "the job pauses for a second")
        try node.tick(1100)
        try node.tick()
        #expect(node.takeReplies().filter { $0.claimed?.count == 1 }.map(\.client) == [second.client])
    }

    @Test func `a claim that asks for much leaves the rest to the others`() throws {
        var node = try LoneEngine()
        let greedy = node.claim("rare", count: 100)
        let modest = node.claim("work")
        try node.turn([greedy, modest])
        // The first job wakes the greedy claim; while that is under way, the others might go to it as well.
        try node.turn([node.post("rare"), node.post("work"), node.post("work")])
        let served = node.takeReplies().filter { $0.claimed != nil }
        #expect(Set(served.map(\.client)) == [greedy.client, modest.client])
        #expect(served.allSatisfy { $0.claimed?.count == 1 })
    }

    @Test func `a claim that is parked while others may take everything gets what they leave`() throws {
        var node = try LoneEngine()
        try node.turn([node.post("work"), node.post("rare")])
        _ = node.takeReplies()
        node.diskIsStalled = true
        let greedy = node.claim("rare", count: 100)
        let late = node.claim("work")
        try node.turn([greedy])
        try node.turn([late])
        #expect(node.takeReplies().isEmpty)
        node.diskIsStalled = false
        try node.turn([])
        let served = node.takeReplies().filter { $0.claimed != nil }
        #expect(served.map(\.client) == [greedy.client, late.client])
        #expect(served.allSatisfy { $0.claimed?.count == 1 })
    }

    @Test func `cancelled claims are answered, closed connections' are not, and neither is served`() throws {
        var node = try LoneEngine()
        try node.turn([.connectionOpened(2)])
        let (cancelled, gone, kept) = (node.claim(), node.claim(on: 2), node.claim())
        try node.turn([cancelled, gone, kept])
        try node.turn([node.request(1, .cancel(cancelled.client.request)), .connectionClosed(2)])
        let answer = node.takeReplies()
        #expect(answer.map(\.client) == [cancelled.client] && answer.first?.claimed == [])
        try node.turn([node.post()])
        #expect(node.takeReplies().filter { $0.claimed != nil }.map(\.client) == [kept.client])
    }

    @Test func `claims whose time is up are answered with nothing`() throws {
        var node = try LoneEngine()
        let inputs = (0..<20).map { node.claim("name\($0)", board: "b\($0)", wait: 1000) }
        try node.turn(inputs)
        try node.tick(900)
        #expect(node.takeReplies().isEmpty)
        try node.tick(200)
        let answers = node.takeReplies()
        #expect(answers.map(\.client) == inputs.map(\.client))
        #expect(answers.allSatisfy { $0.claimed == [] })
        #expect(node.engine.parkedCount == 0 && node.engine.parkedBytes == 0)
    }

    @Test func `many parked claims on boards that do not exist are not looked at`() throws {
        var node = try LoneEngine()
        var inputs: [EngineInput] = []
        for number in 0..<5000 { inputs.append(node.claim("n\(number)", board: "missing\(number % 100)", wait: 600_000)) }
        try node.turn(inputs)
        #expect(node.engine.parkedClaims.count == 5000)
        #expect(!node.engine.parkedClaims.hasBoardsToServe)
        try node.turn([node.post()])
        #expect(!node.engine.parkedClaims.hasBoardsToServe && !node.engine.hasDeferredWork)
    }

    @Test func `past the limits in number and bytes a claim is refused`() throws {
        var node = try LoneEngine { $0.parkedRequests = 3 }
        try node.turn((0..<5).map { node.claim("n\($0)") })
        #expect(node.takeReplies().filter(\.isOverloaded).count == 2)
        var small = try LoneEngine { $0.parkedBytes = 1000 }
        try small.turn((0..<5).map { small.claim("n\($0)") })
        #expect(small.takeReplies().filter(\.isOverloaded).count == 2)
        #expect(small.engine.parkedBytes <= 1000)
    }
}
