import Jobboard
import Testing

@Suite struct HeldTests {
    static func held(_ job: UInt64 = 1, who: String = "w1", fence: UInt64? = nil) -> [Command] {
        let holder = Holder(job: jobID(job), who: who, fence: fence)
        return [
            .extend(holder, leaseMilliseconds: nil), .abandon(holder, delayMilliseconds: nil, failure: nil),
            .consume(holder, result: nil, followUps: []),
        ]
    }

    @Test func `extend, abandon and consume refuse whoever does not hold the job`() {
        var desk = Desk()
        for command in Self.held() { #expect(desk.run(command).code == .notFound) }
        desk.post(newJob(1), newJob(2), newJob(3) { $0.maxFailures = 1 })
        for command in Self.held() { #expect(desk.run(command).code == .notClaimed) }
        _ = desk.claim(jobID(1))
        _ = desk.abandon(jobID(1))
        _ = desk.claim(jobID(1))
        for command in Self.held(who: "w2") {
            let outcome = desk.run(command)
            #expect(outcome.code == .notOwner && outcome.error?.owner == "w1")
        }
        for command in Self.held(fence: 1) + Self.held(fence: 3) { #expect(desk.run(command).code == .staleFence) }
        _ = desk.claim(jobID(2))
        _ = desk.consume(jobID(2))
        for command in Self.held(2) {
            #expect(desk.run(command).error?.message == "job \(jobID(2)) is complete")
            #expect(desk.run(command).code == .notClaimed)
        }
        _ = desk.claim(jobID(3))
        _ = desk.abandon(jobID(3), failure: "x")
        for command in Self.held(3) { #expect(desk.run(command).code == .notClaimed) }
        #expect(desk.machine.job(jobID(1))?.fence == 2)
    }

    @Test func `extend gives a new lease from now, shorter or longer`() {
        var desk = Desk()
        desk.post(newJob(1))
        _ = desk.claim(jobID(1))
        desk.wait(20_000)
        let longer = desk.run(.extend(Holder(job: jobID(1), who: "w1", fence: 1), leaseMilliseconds: 60_000)).job
        #expect(longer?.leaseUntil?.milliseconds == desk.time + 60_000 && desk.kinds == [.extended] && longer?.fence == 1)
        desk.wait(15_000)
        #expect(desk.events.isEmpty, "the first lease's end no longer counts")
        _ = desk.run(.extend(Holder(job: jobID(1), who: "w1"), leaseMilliseconds: 1000))
        #expect(desk.machine.nextDeadline?.milliseconds == desk.time + 1000)
        desk.wait(1000)
        #expect(desk.kinds == [.leaseExpired])
        desk.wait(100_000)
        #expect(desk.events.isEmpty)
    }

    @Test func `an abandoned job is claimable at once, or after the delay`() {
        var desk = Desk()
        desk.post(newJob(1))
        _ = desk.claim(jobID(1))
        let back = desk.abandon(jobID(1)).job
        #expect(back?.state == .unclaimed && back?.owner == nil && back?.fence == nil && back?.leaseUntil == nil)
        #expect(desk.kinds == [.abandoned] && desk.events[0].owner == "w1" && desk.events[0].fence == 1)
        _ = desk.claim(jobID(1))
        #expect(desk.abandon(jobID(1), delay: 500).job?.notBefore?.milliseconds == desk.time + 500)
        #expect(desk.claim(jobID(1)).code == .unclaimable)
        desk.wait(499)
        #expect(desk.machine.claimableCount(board: "default") == 0)
        desk.wait(1)
        #expect(desk.machine.claimableCount(board: "default") == 1 && desk.events.isEmpty)
        #expect(desk.claim(jobID(1)).job?.failures == 0)
    }

    @Test func `failures back off twice as long each time, up to five minutes`() {
        var desk = Desk()
        desk.post(newJob(1))
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] as [Int64] {
            #expect(desk.next().count == 1)
            let job = desk.abandon(jobID(1), failure: "f\(expected)").job
            #expect(job?.lastFailure == "f\(expected)" && job?.state == .unclaimed && desk.kinds == [.failed])
            #expect(desk.events[0].failure == "f\(expected)" && desk.events[0].owner == "w1")
            #expect(job?.notBefore?.milliseconds == desk.time + expected * 1000)
            desk.wait(expected * 1000)
        }
        _ = desk.next()
        #expect(desk.abandon(jobID(1), delay: 0, failure: "").job?.failures == 12)
        #expect(desk.next().count == 1, "a delay that was given wins, 0 too")
    }

    @Test func `after max_failures the job is in the trash`() {
        var desk = Desk()
        desk.post(newJob(1) { $0.maxFailures = 2 })
        _ = desk.next()
        #expect(desk.abandon(jobID(1), delay: 0, failure: "one").job?.state == .unclaimed)
        _ = desk.next()
        let trashed = desk.abandon(jobID(1), delay: 0, failure: "two").job
        #expect(trashed?.state == .trashed && trashed?.failures == 2 && trashed?.owner == nil)
        #expect(desk.kinds == [.trashed] && desk.events[0].failure == "two" && desk.events[0].fence == 2)
        #expect(
            desk.machine.count(board: "default", state: .trashed) == 1 && desk.machine.count(board: "default", state: nil) == 0)
        desk.wait(100_000)
        #expect(desk.events.isEmpty && desk.machine.job(jobID(1)) == trashed)
        desk.machine.checkInvariants()
    }

    @Test func `consume posts its follow-ups in the same command, after its own event`() {
        var desk = Desk()
        desk.post(newJob(1) { $0.key = "daily" }, board: "b")
        _ = desk.claim(jobID(1))
        let outcome = desk.consume(jobID(1), followUps: [newJob(2) { $0.key = "daily" }, newJob(3)])
        #expect(outcome.job?.state == .complete && desk.kinds == [.consumed, .posted, .posted])
        #expect(desk.events.map(\.position) == [3, 4, 5] && desk.events.map(\.board) == ["b", "b", "b"])
        #expect(desk.machine.job(jobID(2))?.key == "daily" && desk.machine.count(board: "b", state: .unclaimed) == 2)
        #expect(desk.machine.totals(state: .complete) == 1 && desk.machine.totals(state: nil) == 2)
        desk.machine.checkInvariants()
    }

    @Test func `a bad follow-up refuses the whole consume`() {
        var desk = Desk()
        desk.post(newJob(1), newJob(2))
        _ = desk.claim(jobID(1))
        let before = desk.machine.job(jobID(1))
        #expect(desk.consume(jobID(1), followUps: [newJob(3), newJob(2, "other")]).code == .duplicate)
        #expect(desk.consume(jobID(1), followUps: [newJob(3), newJob(4, "")]).code == .invalidArgument)
        #expect(desk.consume(jobID(1), followUps: [newJob(1, "myself, changed")]).code == .duplicate)
        #expect(desk.consume(jobID(1), result: "{").code == .invalidArgument)
        #expect(desk.machine.job(jobID(1)) == before && desk.machine.job(jobID(3)) == nil && desk.events.isEmpty)
        #expect(desk.consume(jobID(1), followUps: [newJob(2), newJob(1)]).job?.state == .complete)
    }

    @Test func `the memory of complete jobs is bounded, and the oldest goes first`() {
        var limits = BoardLimits()
        limits.completedJobs = 3
        limits.completedBytes = 1700
        var desk = Desk(limits: limits)
        func consume(_ number: UInt64, result: String? = nil) {
            desk.post(newJob(number))
            _ = desk.claim(jobID(number))
            _ = desk.consume(jobID(number), result: result)
            desk.machine.checkInvariants()
        }
        for number in 1...4 as ClosedRange<UInt64> { consume(number) }
        #expect((1...4).map { desk.machine.job(jobID($0)) != nil } == [false, true, true, true])
        consume(5, result: "\"" + String(repeating: "x", count: 1400) + "\"")
        #expect((1...5).map { desk.machine.job(jobID($0)) != nil } == [false, false, false, false, true])
        #expect(desk.machine.count(board: "default", state: .complete) == 5, "all that were consumed")
        #expect(desk.claim(jobID(1)).code == .notFound)
    }
}
