import Jobboard
import JobboardClient
import Testing
import WireFormat

@Suite struct ClientSessionTests {
    private let expired = Response.failed(JobboardError(.sessionExpired, "gone"))
    private let posted = Response.outcome(.posted([], duplicates: []))

    @Test func `an idle session that expired is replaced without anybody noticing`() throws {
        let stage = Stage()
        let first = try stage.open(1, .post("x"))
        stage.answer(first.number, posted)
        let second = try #require(stage.submit(2, .post("y")).sends.first)
        let opening = try #require(stage.answer(second.number, expired).sends.first)
        #expect(opening.opensSession == 2)
        let again = try #require(stage.answer(opening.number, .outcome(.sessionOpened(71))).sends.first)
        #expect(again.command.map { [$0.session, $0.sequence] } == [2, 1])
        #expect(stage.answer(again.number, posted).response(for: 2) == posted)
    }

    @Test func `a command whose earlier answer was lost with the session ends as unknown`() throws {
        let stage = Stage()
        _ = try stage.open(1, .post("x"))
        stage.submit(2, .post("y"))
        stage.disconnect()
        let retries = stage.greet(leader: stage.node).sends
        #expect(retries.count == 2)
        let error = stage.answer(retries[0].number, .outcome(.refused(JobboardError(.sessionExpired, "gone")))).error(for: 1)
        #expect(error?.code == .sessionExpired)
        #expect(error?.outcome == .unknown)
        // The other one may have had its effect too: it must not go out under the new session.
        stage.submit(3, .post("z"))
        #expect(stage.answer(retries[1].number, expired).error(for: 2)?.code == .sessionExpired)
    }

    @Test func `a retry after a lost connection stays in its old session although there is a new one`() throws {
        let stage = Stage()
        _ = try stage.open(1, .post("x"))
        let other = try #require(stage.submit(2, .post("y")).sends.first)
        // The second is told that the session is gone, then the connection breaks before the first has its answer.
        stage.answer(other.number, expired)
        stage.disconnect()
        let sends = stage.greet(leader: stage.node).sends
        #expect(sends.compactMap { $0.command?.session ?? $0.opensSession }.sorted() == [1, 2])
    }

    @Test func `after a lost connection each session is presented before anything is sent under it`() throws {
        let stage = Stage()
        let post = try stage.open(1, .post("x"))
        let opening = try #require(stage.submit(2, .next(wait: 5000)).sends.first)
        #expect(opening.opensSession == 2 && stage.presented.isEmpty)
        stage.answer(opening.number, .outcome(.sessionOpened(71)))
        stage.disconnect()
        let again = stage.greet(leader: stage.node).sends
        #expect(again.first?.command == post.command && again.count == 2)
        let token = SessionToken(high: 5, low: 6)
        #expect(
            stage.presented.map(\.request)
                == [1, 2].map {
                    .session(local: $0, token, ttlMilliseconds: 60_000, resumed: true)
                })
        #expect(stage.presented.allSatisfy { $0.connection == stage.connection })
    }

    @Test func `a full table of sessions is waited for`() throws {
        let stage = Stage()
        stage.submit(1, .post("x"))
        let opening = try #require(stage.greet(leader: stage.node).sends.first)
        let full = JobboardError(.overloaded, "full")
        #expect(stage.answer(opening.number, .outcome(.refused(full))).completions.isEmpty)
        let again = try #require(stage.waitUntilDue().sends.first)
        #expect(again.request == opening.request)
    }

    @Test func `numbers are acknowledged up to the first one that has no answer`() throws {
        let stage = Stage()
        let first = try stage.open(1, .post("x"))
        let second = try #require(stage.submit(2, .post("x")).sends.first)
        stage.answer(second.number, posted)
        let third = try #require(stage.submit(3, .post("x")).sends.first)
        #expect(third.command.map { [$0.sequence, $0.acknowledgedBelow] } == [3, 1])
        stage.answer(first.number, posted)
        let fourth = try #require(stage.submit(4, .post("x")).sends.first)
        #expect(fourth.command.map { [$0.sequence, $0.acknowledgedBelow] } == [4, 3])
    }

    @Test func `a claim that waits does not hold up the numbers of other commands`() throws {
        let stage = Stage()
        let claim = try stage.open(1, .next(wait: 30_000))
        #expect(claim.command?.session == 1)
        let opening = try #require(stage.submit(2, .post("x")).sends.first)
        let post = try #require(stage.answer(opening.number, .outcome(.sessionOpened(91))).sends.first)
        stage.answer(post.number, posted)
        let next = try #require(stage.submit(3, .post("x")).sends.first)
        #expect(next.command.map { [$0.session, $0.acknowledgedBelow] } == [2, 2])
    }

    @Test func `a full window parks commands until the first answer comes`() throws {
        let stage = Stage {
            $0.maximumOnWire = 10_000
            $0.maximumCalls = 10_000
        }
        let first = try stage.open(0, .post("x"))
        var sent = 1
        for waiter in 1...5000 { sent += stage.submit(waiter, .post("x")).sends.count }
        #expect(sent == Int(SessionLane.window))
        #expect(stage.answer(first.number, posted).sends.map { $0.command?.sequence } == [SessionLane.window + 1])
    }

    @Test func `a refused session ends what waited for it`() throws {
        let stage = Stage()
        stage.submit(1, .post("x"))
        stage.submit(2, .post("y"))
        let opening = try #require(stage.greet(leader: stage.node).sends.first)
        let refused = stage.answer(opening.number, .failed(JobboardError(.forbidden, "no")))
        #expect(refused.error(for: 1)?.code == .forbidden)
        #expect(refused.error(for: 2)?.code == .forbidden)
    }
}
