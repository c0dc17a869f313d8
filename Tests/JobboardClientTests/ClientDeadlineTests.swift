import Jobboard
import JobboardClient
import Testing
import WireFormat

@Suite struct ClientDeadlineTests {
    @Test func `a write that was never sent ends as unavailable and not applied`() {
        let stage = Stage()
        stage.submit(1, .post("x"))
        let error = stage.wait(milliseconds: 10_000).error(for: 1)
        #expect(error?.code == .unavailable)
        #expect(error?.outcome == .notApplied)
    }

    @Test func `a write that was sent ends as unavailable and unknown`() throws {
        let stage = Stage()
        _ = try stage.open(1, .post("x"), seconds: 1)
        let error = stage.wait(milliseconds: 1000).error(for: 1)
        #expect(error?.code == .unavailable)
        #expect(error?.outcome == .unknown)
    }

    @Test func `a write that only lost connections know of ends as unknown`() throws {
        let stage = Stage()
        _ = try stage.open(1, .post("x"), seconds: 1)
        stage.disconnect()
        #expect(stage.wait(milliseconds: 1000).error(for: 1)?.outcome == .unknown)
    }

    @Test func `a write that every node refused to take ends as not applied`() throws {
        let stage = Stage()
        let sent = try stage.open(1, .post("x"), seconds: 1)
        stage.answer(sent.number, .notLeader(leader: nil))
        #expect(stage.wait(milliseconds: 1000).error(for: 1)?.outcome == .notApplied)
    }

    @Test func `a write with an unknown outcome stays unknown after a refusal of its retry`() throws {
        let stage = Stage()
        let sent = try stage.open(1, .post("x"), seconds: 1)
        stage.answer(sent.number, .failed(JobboardError(.unavailable, "quorum lost", outcome: .unknown)))
        let again = try #require(stage.waitUntilDue().sends.first)
        stage.answer(again.number, .notLeader(leader: nil))
        #expect(stage.wait(milliseconds: 1000).error(for: 1)?.outcome == .unknown)
    }

    @Test func `a read ends as not applied whatever happened`() {
        let stage = Stage()
        stage.submit(1, .read(.status, fresh: true), seconds: 1)
        #expect(stage.greet(leader: stage.node).sends.count == 1)
        #expect(stage.wait(milliseconds: 1000).error(for: 1)?.outcome == .notApplied)
    }

    @Test func `only what is overdue ends`() {
        let stage = Stage()
        stage.submit(1, .post("x"), seconds: 2)
        stage.submit(2, .post("x"), seconds: 1)
        #expect(stage.machine.nextWakeup == Moment(nanoseconds: .milliseconds(1000)))
        #expect(stage.wait(milliseconds: 1000).completions.map(\.waiter) == [2])
        #expect(stage.wait(milliseconds: 1000).completions.map(\.waiter) == [1])
    }

    @Test func `an answer that comes after the deadline finds nobody`() throws {
        let stage = Stage()
        let sent = try stage.open(1, .post("x"), seconds: 1)
        stage.wait(milliseconds: 1000)
        stage.submit(2, .post("y"))
        #expect(stage.answer(sent.number, .outcome(.posted([], duplicates: []))).completions.isEmpty)
    }

    @Test func `closing tells the open calls whether they may have had their effect`() throws {
        let stage = Stage { $0.maximumOnWire = 1 }
        _ = try stage.open(1, .post("x"))
        stage.submit(2, .post("y"))
        let closed = stage.play { $0.close(now: $1, actions: &$2) }
        #expect(closed.error(for: 1) == JobboardError(.closed, "the client was shut down", outcome: .unknown))
        #expect(closed.error(for: 2)?.outcome == .notApplied)
        #expect(closed.finished)
        #expect(closed.sends.last?.command?.command == .closeSession)
        #expect(stage.submit(3, .post("z")).error(for: 3)?.code == .closed)
    }
}
