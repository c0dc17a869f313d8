import Jobboard
import JobboardClient
import Testing
import WireFormat

@Suite struct ClientWaitingTests {
    private let nothing = Response.outcome(.claimed([]))

    @Test func `a long wait is asked for in slices, each a command of its own`() throws {
        let stage = Stage()
        let first = try stage.open(1, .next(wait: 25_000))
        #expect(first.waitMilliseconds == 10_000)
        stage.now = stage.now.adding(.milliseconds(10_000))
        let second = try #require(stage.answer(first.number, nothing).sends.first)
        #expect(second.command?.sequence == 2)
        stage.now = stage.now.adding(.milliseconds(10_000))
        let third = try #require(stage.answer(second.number, nothing).sends.first)
        #expect(third.waitMilliseconds == 5000)
        stage.now = stage.now.adding(.milliseconds(5000))
        #expect(stage.answer(third.number, nothing).response(for: 1) == nothing)
    }

    @Test func `a node that gives up a wait early is not asked again at once`() throws {
        let stage = Stage()
        let first = try stage.open(1, .next(wait: 25_000))
        #expect(stage.answer(first.number, nothing).sends.isEmpty)
        #expect(stage.waitUntilDue().sends.count == 1)
    }

    @Test func `a wait keeps the connection for its slice and no longer`() throws {
        let stage = Stage()
        _ = try stage.open(1, .next(wait: 25_000))
        #expect(stage.wait(milliseconds: 11_999).connect == nil)
        #expect(stage.wait(milliseconds: 1).connect != nil)
    }

    @Test func `a cancelled wait is called off at the node`() throws {
        let stage = Stage()
        stage.submit(1, .waitForClaimable(board: "b", wait: .milliseconds(5000)), ticket: 9)
        let sent = try #require(stage.greet(leader: stage.node).sends.first)
        let cancelled = stage.play { $0.cancel(ticket: 9, now: $1, actions: &$2) }
        #expect(cancelled.sends.map(\.request) == [.cancel(sent.number)])
        guard case .cancelled = cancelled.completions.first?.reply else { return #expect(Bool(false), "not cancelled") }
        #expect(stage.answer(sent.number, .ready(true)).completions.isEmpty)
    }

    @Test func `a claim that was granted while it was cancelled is given back`() throws {
        let stage = Stage()
        let claim = try stage.open(1, .next(wait: 5000), ticket: 9)
        let cancelled = stage.play { $0.cancel(ticket: 9, now: $1, actions: &$2) }
        #expect(cancelled.sends.map(\.request) == [.cancel(claim.number)])
        let opening = try #require(stage.answer(claim.number, .outcome(.claimed([claimedJob(2, fence: 5)]))).sends.first)
        let back = try #require(stage.answer(opening.number, .outcome(.sessionOpened(91))).sends.first)
        let holder = Holder(job: JobID(high: 1, low: 2), who: "w", fence: 5)
        #expect(back.command?.command == .abandon(holder, delayMilliseconds: nil, failure: nil))
    }

    @Test func `a cancelled claim whose connection broke is asked for once more, to give back what it got`() throws {
        let stage = Stage()
        let claim = try stage.open(1, .next(wait: 5000), ticket: 9)
        stage.play { $0.cancel(ticket: 9, now: $1, actions: &$2) }
        stage.disconnect()
        let again = try #require(stage.greet(leader: stage.node).sends.first)
        #expect(again.command == claim.command)
        #expect(again.waitMilliseconds == 0)
        #expect(stage.answer(again.number, nothing).sends.isEmpty)
    }

    @Test func `a claim that timed out is given back when it arrives after all`() throws {
        let stage = Stage()
        let claim = try stage.open(1, .next(wait: 0), seconds: 1)
        #expect(stage.wait(milliseconds: 1000).error(for: 1)?.outcome == .unknown)
        let late = stage.answer(claim.number, .outcome(.claimed([claimedJob()])))
        #expect(late.completions.isEmpty)
        guard case .abandon = late.sends.first?.command?.command else { return #expect(Bool(false), "kept the job") }
    }

    @Test func `closing waits for a claim to be given back, but not for ever`() throws {
        let stage = Stage()
        let claim = try stage.open(1, .next(wait: 0))
        #expect(!stage.play { $0.close(now: $1, actions: &$2) }.finished)
        let back = stage.answer(claim.number, .outcome(.claimed([claimedJob()])))
        #expect(!back.finished && back.sends.count == 1)
        #expect(stage.wait(milliseconds: 1000).finished)
    }

    @Test func `a call cancelled before it was sent leaves nothing behind`() {
        let stage = Stage()
        stage.submit(1, .next(wait: 5000), ticket: 9)
        #expect(stage.play { $0.cancel(ticket: 9, now: $1, actions: &$2) }.completions.count == 1)
        #expect(stage.greet(leader: stage.node).sends.isEmpty)
        #expect(stage.play { $0.cancel(ticket: 9, now: $1, actions: &$2) }.completions.isEmpty)
    }
}
