import Jobboard
import Testing

@Suite struct DeadlineTests {
    @Test func `a lease that ends gives the job back at its old place`() {
        var desk = Desk()
        desk.post(newJob(1), newJob(2))
        _ = desk.claim(jobID(1), lease: 1000)
        #expect(desk.machine.nextDeadline?.milliseconds == desk.time + 1000)
        desk.wait(999)
        #expect(desk.events.isEmpty)
        desk.wait(1)
        #expect(desk.kinds == [.leaseExpired] && desk.events[0].owner == "w1" && desk.events[0].fence == 1)
        #expect(desk.events[0].time.milliseconds == desk.time)
        #expect(desk.run(.extend(Holder(job: jobID(1), who: "w1", fence: 1), leaseMilliseconds: nil)).code == .notClaimed)
        #expect(desk.next(who: "w2").map(\.id) == [jobID(2)], "the first one pauses for a second")
        desk.wait(1000)
        #expect(desk.next(who: "w2").map(\.id) == [jobID(1)])
        #expect(desk.run(.consume(Holder(job: jobID(1), who: "w1", fence: 1), result: nil, followUps: [])).code == .notOwner)
    }

    @Test func `a lease that ends counts, and the pause after it doubles`() {
        var desk = Desk()
        desk.post(newJob(1) { $0.maxLostClaims = 0 })
        for lost in 1...20 as ClosedRange<UInt32> {
            #expect(desk.next().count == 1)
            desk.wait(30_000)
            let job = desk.machine.job(jobID(1))
            #expect(job?.lostClaims == lost && job?.failures == 0 && job?.state == .unclaimed, "0 is for never")
            let pause: Int64 = min(300_000, 1000 << Int64(lost - 1))
            #expect(job?.notBefore?.milliseconds == desk.time + pause)
            desk.wait(pause - 1)
            #expect(desk.next().isEmpty)
            desk.wait(1)
        }
        desk.machine.checkInvariants()
    }

    @Test(arguments: [(nil, 16), (1, 1), (3, 3)] as [(UInt32?, UInt32)])
    func `a job that loses too many claims goes to the trash`(most: UInt32?, count: UInt32) {
        var desk = Desk()
        desk.post(newJob(1) { ($0.maxLostClaims, $0.key) = (most, "k") })
        for _ in 0..<count {
            #expect(desk.next().count == 1)
            desk.wait(30_000)
            desk.wait(300_000)
        }
        let job = desk.machine.job(jobID(1))
        #expect(job?.state == .trashed && job?.lostClaims == count && job?.lastFailure == "claims lost")
        desk.machine.checkInvariants()
    }

    @Test func `a job that loses its last claim is told as expired and then as trashed`() {
        var desk = Desk()
        desk.post(newJob(1) { $0.maxLostClaims = 1 })
        _ = desk.claim(jobID(1), lease: 1000)
        desk.wait(1000)
        #expect(desk.kinds == [.leaseExpired, .trashed] && desk.events.map(\.failure) == [nil, "claims lost"])
        desk.wait(10_000)
        #expect(desk.events.isEmpty && desk.next().isEmpty)
    }

    @Test func `a job that nobody claims in time goes to the trash`() {
        var desk = Desk()
        desk.post(
            newJob(1) { $0.expiresAfterMilliseconds = 100 },
            newJob(2) { ($0.expiresAfterMilliseconds, $0.delayMilliseconds) = (100, 500) })
        desk.wait(100)
        #expect(desk.kinds == [.trashed, .trashed] && desk.events.map(\.failure) == ["expired", "expired"])
        #expect(desk.machine.job(jobID(1))?.state == .trashed && desk.machine.job(jobID(2))?.lastFailure == "expired")
        #expect(desk.next().isEmpty)
        desk.machine.checkInvariants()
        desk.wait(1000)
        #expect(desk.events.isEmpty && desk.machine.claimableCount(board: "default") == 0)
    }

    @Test func `a job that is claimed when it would expire goes to the trash when it is given back`() {
        var desk = Desk()
        desk.post(newJob(1) { $0.expiresAfterMilliseconds = 100 })
        _ = desk.claim(jobID(1))
        desk.wait(200)
        #expect(desk.events.isEmpty)
        #expect(desk.abandon(jobID(1)).job?.state == .trashed)
        #expect(desk.kinds == [.abandoned, .trashed] && desk.machine.job(jobID(1))?.lastFailure == "expired")
        #expect(desk.next().isEmpty)
        desk.machine.checkInvariants()
    }

    @Test func `a job that is claimed when it would expire goes to the trash when its lease ends`() {
        var desk = Desk()
        desk.post(newJob(1) { $0.expiresAfterMilliseconds = 100 })
        _ = desk.claim(jobID(1), lease: 1000)
        desk.wait(1000)
        #expect(desk.kinds == [.leaseExpired, .trashed] && desk.next().isEmpty)
        desk.machine.checkInvariants()
    }

    @Test func `a claimed job whose expiry has passed can still be extended and consumed`() {
        var desk = Desk()
        desk.post(newJob(1) { $0.expiresAfterMilliseconds = 100 })
        _ = desk.claim(jobID(1), lease: 1000)
        desk.wait(200)
        #expect(desk.run(.extend(Holder(job: jobID(1), who: "w1"), leaseMilliseconds: 1000)).job?.state == .claimed)
        #expect(desk.run(.consume(Holder(job: jobID(1), who: "w1"), result: nil, followUps: [])).job?.state == .complete)
    }

    @Test func `what is due together happens by deadline, then kind, then posting order`() {
        var desk = Desk()
        desk.post(
            newJob(1) { $0.expiresAfterMilliseconds = 1000 }, newJob(2) { $0.expiresAfterMilliseconds = 1000 }, newJob(3),
            newJob(4))
        for number in [4, 3, 2] as [UInt64] { _ = desk.claim(jobID(number), lease: 1000) }
        desk.wait(5000)
        #expect(desk.kinds == [.leaseExpired, .trashed, .leaseExpired, .leaseExpired, .trashed])
        #expect(desk.events.map(\.job) == [2, 2, 3, 4, 1].map(jobID))
        #expect(desk.events.map(\.position) == Array(8...12))
    }

    @Test func `one block serves a bounded number of deadlines, and the next goes on`() {
        var limits = BoardLimits()
        limits.timersPerBlock = 2
        var desk = Desk(limits: limits)
        desk.post(newJob(1), newJob(2), newJob(3))
        _ = desk.next(3)
        let due = desk.machine.nextDeadline
        desk.wait(40_000)
        #expect(desk.events.map(\.job) == [1, 2].map(jobID) && desk.machine.nextDeadline == due)
        desk.wait(0)
        #expect(desk.events.map(\.job) == [jobID(3)])
    }

    @Test func `the clock never goes back`() {
        var desk = Desk()
        desk.wait(-50_000)
        #expect(desk.machine.now.milliseconds == desk.time + 50_000)
    }

    @Test func `the next deadline is the true one after extends, uses and ends`() {
        var desk = Desk()
        let end = desk.time + 3_600_000
        #expect(desk.machine.nextDeadline?.milliseconds == desk.time + 60_000, "the session's, which has done nothing yet")
        desk.post(newJob(1), newJob(2) { $0.delayMilliseconds = 50_000 })
        _ = desk.claim(jobID(1))
        _ = desk.run(.extend(Holder(job: jobID(1), who: "w1"), leaseMilliseconds: 40_000))
        #expect(desk.machine.nextDeadline?.milliseconds == desk.time + 40_000)
        _ = desk.consume(jobID(1))
        #expect(desk.machine.nextDeadline?.milliseconds == desk.time + 50_000)
        desk.wait(50_000)
        _ = desk.next()
        _ = desk.abandon(jobID(2))
        #expect(desk.machine.nextDeadline?.milliseconds == end + 50_000)
        #expect(desk.run(.closeSession) == .sessionClosed && desk.machine.nextDeadline == nil)
    }

    @Test func `moments have their RFC 3339 text`() {
        func text(_ milliseconds: Int64) -> String { Timestamp(milliseconds: milliseconds).description }
        #expect(text(0) == "1970-01-01T00:00:00.000Z" && text(-1) == "1969-12-31T23:59:59.999Z")
        #expect(text(951_782_400_000) == "2000-02-29T00:00:00.000Z" && text(1_709_251_199_007) == "2024-02-29T23:59:59.007Z")
        #expect(
            text(253_402_300_799_999) == "9999-12-31T23:59:59.999Z" && text(-62_167_219_200_000) == "0000-01-01T00:00:00.000Z")
        #expect(text(.max) == "9223372036854775807 ms" && text(.min) == "-9223372036854775808 ms")
    }
}
