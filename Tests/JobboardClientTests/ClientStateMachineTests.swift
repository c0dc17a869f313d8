import Jobboard
import JobboardClient
import Testing
import WireFormat

@Suite struct ClientStateMachineTests {
    @Test func `the first write opens a session and then goes out as its first command`() throws {
        let stage = Stage()
        #expect(stage.submit(1, .post("x")).connect != nil)
        let opening = try #require(stage.greet(leader: stage.node).sends.first)
        #expect(
            opening.request
                == .session(local: 1, SessionToken(high: 5, low: 6), ttlMilliseconds: 60_000, resumed: false))
        let sent = try #require(stage.answer(opening.number, .outcome(.sessionOpened(70))).sends.first?.command)
        #expect((sent.session, sent.sequence, sent.acknowledgedBelow) == (1, 1, 1))
    }

    @Test func `a hello that names the leader moves the client there before anything is sent`() {
        let stage = Stage()
        stage.submit(1, .post("x"))
        let moved = stage.greet(leader: "leader:9")
        #expect(moved.sends.isEmpty)
        #expect(moved.closes == [1])
        #expect(moved.connect?.node == "leader:9" && moved.connect?.connection == 2)
    }

    @Test func `a lost connection leads to a retry elsewhere under the same session and sequence`() throws {
        let stage = Stage()
        let first = try stage.open(1, .post("x"))
        let old = stage.node
        #expect(stage.disconnect().connect != nil)
        #expect(stage.node != old)
        let second = try #require(stage.greet(leader: stage.node).sends.first)
        #expect(second.command == first.command)
        let outcome = Response.outcome(.posted([], duplicates: []))
        #expect(stage.answer(second.number, outcome).response(for: 1) == outcome)
    }

    @Test func `retries keep the order in which the calls were made`() throws {
        let stage = Stage()
        _ = try stage.open(1, .post("x"))
        for waiter in 2...5 { stage.submit(waiter, .post("x")) }
        stage.disconnect()
        let sequences = stage.greet(leader: stage.node).sends.compactMap { $0.command?.sequence }
        #expect(sequences == [1, 2, 3, 4, 5])
    }

    @Test func `what a dead leader's follower says about that leader is not followed at once`() throws {
        let stage = Stage(nodes: ["a:1", "b:1"])
        let sent = try stage.open(1, .post("x"))
        let dead = stage.node
        stage.disconnect()
        // The follower has not noticed yet.
        let retry = try #require(stage.greet(leader: dead).sends.first)
        let held = stage.answer(retry.number, .notLeader(leader: dead))
        #expect(held.connect == nil && held.sends.isEmpty)
        let again = try #require(stage.waitUntilDue().sends.first)
        #expect(again.command == sent.command)
        // Now it has.
        #expect(stage.answer(again.number, .notLeader(leader: "new:1")).connect?.node == "new:1")
    }

    @Test func `nodes that point at each other are not followed in circles without a pause`() throws {
        let stage = Stage()
        var sent = try stage.open(1, .post("x"))
        var hops = 0
        while let connect = stage.answer(sent.number, .notLeader(leader: stage.node == "a:1" ? "b:1" : "a:1")).connect {
            hops += 1
            try #require(hops < 10)
            #expect(connect.node != "c:1")
            sent = try #require(stage.greet(leader: nil).sends.first)
        }
        #expect(hops == 3)
        #expect(stage.machine.nextWakeup > stage.now)
        #expect(stage.waitUntilDue().connect != nil)
    }

    @Test func `an overloaded node gets time and then the same command under a new number`() throws {
        let stage = Stage()
        let sent = try stage.open(1, .post("x"))
        let held = stage.answer(sent.number, .failed(JobboardError(.overloaded, "busy")))
        #expect(held.completions.isEmpty && held.sends.isEmpty && held.connect == nil)
        // While it holds back, new calls wait too.
        #expect(stage.submit(2, .read(.status, fresh: false)).sends.isEmpty)
        let again = stage.waitUntilDue().sends
        #expect(again.count == 2)
        let retried = try #require(again.first { $0.command != nil }?.command)
        #expect(retried.command == sent.command?.command && retried.sequence == 2 && retried.acknowledgedBelow == 2)
    }

    @Test func `a shed command keeps its number while a copy of it may be on its way`() throws {
        let stage = Stage()
        let sent = try stage.open(1, .post("x"))
        stage.disconnect()
        let repeated = try #require(stage.greet(leader: stage.node).sends.first)
        #expect(repeated.command == sent.command && repeated.sending?.isRepeated == true)
        stage.answer(repeated.number, .failed(JobboardError(.overloaded, "busy")))
        #expect(stage.waitUntilDue().sends.first?.command == sent.command)
    }

    @Test func `a command goes to the term that the node leads, and again when it leads another`() throws {
        let stage = Stage()
        stage.term = 7
        let sent = try stage.open(1, .post("x"))
        #expect(sent.sending == Sending(term: 7))
        let again = try #require(stage.answer(sent.number, .otherTerm(8)).sends.first)
        #expect(again.command == sent.command && again.sending == Sending(term: 8))
    }

    @Test func `several commands under way when the term changes all go again at once`() throws {
        let stage = Stage()
        stage.term = 7
        let first = try stage.open(1, .post("x"))
        let second = try #require(stage.submit(2, .post("y")).sends.first)
        for sent in [first, second] {
            let again = try #require(stage.answer(sent.number, .otherTerm(8)).sends.first)
            #expect(again.command == sent.command && again.sending == Sending(term: 8))
        }
    }

    @Test func `a node that sends a command back for the term that it was addressed to gets time`() throws {
        let stage = Stage()
        stage.term = 7
        let sent = try stage.open(1, .post("x"))
        #expect(stage.answer(sent.number, .otherTerm(7)).sends.isEmpty)
        #expect(stage.machine.nextWakeup > stage.now)
        let again = try #require(stage.waitUntilDue().sends.first)
        #expect(again.command == sent.command && again.sending == Sending(term: 7))
    }

    @Test func `a command whose copy may be on its way to a later leader is not sent to an earlier one`() throws {
        let stage = Stage()
        stage.term = 7
        let sent = try stage.open(1, .post("x"))
        stage.disconnect()
        stage.term = 6
        #expect(stage.greet(leader: stage.node).sends.isEmpty)
        // New ones go there, as far as it knows.
        stage.submit(2, .post("y"))
        let other = try #require(stage.waitUntilDue().sends.first)
        #expect(other.sending == Sending(term: 6) && other.command?.sequence == 2)
        stage.term = 8
        stage.disconnect()
        let again = try #require(stage.greet(leader: stage.node).sends.first { $0.command?.sequence == 1 })
        #expect(again.command?.command == sent.command?.command && again.sending == Sending(term: 8, isRepeated: true))
    }

    @Test func `a node that stays without a quorum is left for the next one`() throws {
        let stage = Stage()
        var sent = try stage.open(1, .post("x"))
        let first = stage.node
        for _ in 0..<100 where stage.node == first {
            let failure = Response.failed(JobboardError(.unavailable, "no quorum", outcome: .notApplied))
            stage.answer(sent.number, failure)
            if let next = stage.waitUntilDue().sends.first { sent = next }
        }
        #expect(stage.node != first)
        #expect(stage.now >= Moment(nanoseconds: .milliseconds(200)))
        #expect(stage.now < Moment(nanoseconds: .milliseconds(1000)))
    }

    @Test func `a node that owes an answer and says nothing is left`() throws {
        let stage = Stage()
        _ = try stage.open(1, .post("x"))
        #expect(stage.wait(milliseconds: 1999).connect == nil)
        #expect(stage.wait(milliseconds: 1).connect != nil)
    }

    @Test func `a node that does not greet is left`() {
        let stage = Stage()
        stage.submit(1, .post("x"))
        let connection = stage.connection
        stage.play { machine, now, _ in _ = machine.connected(connection, now: now) }
        let left = stage.wait(milliseconds: 1000)
        #expect(left.closes == [connection] && left.connect != nil)
    }

    @Test func `after all nodes failed there is a pause before each attempt`() {
        let stage = Stage(nodes: ["a:1", "b:1"])
        stage.submit(1, .post("x"))
        #expect(stage.disconnect().connect != nil)
        #expect(stage.disconnect().connect != nil)
        var pauses: [Int64] = []
        for _ in 0..<20 {
            #expect(stage.disconnect().connect == nil)
            let before = stage.now
            #expect(stage.waitUntilDue().connect != nil || stage.now >= Moment(nanoseconds: .milliseconds(10_000)))
            pauses.append(stage.now.nanoseconds - before.nanoseconds)
        }
        #expect(pauses[0] <= Backoff.shortest)
        #expect(pauses.allSatisfy { $0 >= Backoff.shortest / 2 && $0 <= Backoff.longest })
    }

    @Test func `nodes of another cluster are refused`() {
        let stage = Stage { $0.cluster = "mine" }
        stage.submit(1, .post("x"))
        let connection = stage.connection
        #expect(stage.greet(cluster: "theirs").closes == [connection])
    }

    @Test func `calls past the limit end as overloaded and the wire holds no more than its share`() throws {
        let stage = Stage {
            $0.maximumOnWire = 3
            $0.maximumCalls = 6
        }
        _ = try stage.open(1, .post("x"))
        var sent = 1
        for waiter in 2...6 { sent += stage.submit(waiter, .post("x")).sends.count }
        #expect(sent == 3)
        #expect(stage.submit(7, .post("x")).error(for: 7)?.code == .overloaded)
    }

    @Test func `late news of an earlier connection changes nothing`() throws {
        let stage = Stage()
        let sent = try stage.open(1, .post("x"))
        let old = stage.connection
        stage.disconnect()
        let late = stage.play {
            $0.received(.outcome(.posted([], duplicates: [])), number: sent.number, on: old, now: $1, actions: &$2)
        }
        #expect(late.completions.isEmpty)
        #expect(stage.play { $0.disconnected(old, because: "again", now: $1, actions: &$2) }.connect == nil)
    }
}
