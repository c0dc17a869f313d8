import Testing

@testable import Jobboard

@Suite struct ClaimTests {
    @Test func `a claim gives a fence above all before and a lease from now`() {
        var desk = Desk()
        desk.post(newJob(1), newJob(2) { $0.leaseMilliseconds = 5000 })
        let first = desk.claim(jobID(1)).job
        #expect(first?.fence == 1 && first?.owner == "w1" && first?.state == .claimed && first?.claims == 1)
        #expect(first?.leaseUntil?.milliseconds == desk.time + 30_000, "the default lease")
        #expect(desk.events == [desk.events[0]] && desk.events[0].kind == .claimed && desk.events[0].fence == 1)
        #expect(desk.claim(jobID(2)).job?.leaseUntil?.milliseconds == desk.time + 5000, "the job's own lease")
        _ = desk.abandon(jobID(2))
        let again = desk.claim(jobID(2), lease: 100).job
        #expect(again?.fence == 3 && again?.claims == 2 && again?.leaseUntil?.milliseconds == desk.time + 100)
    }

    @Test func `a job that can't be claimed says why`() {
        var desk = Desk()
        desk.post(
            newJob(1), newJob(2), newJob(3) { $0.maxFailures = 1 },
            newJob(4) { $0.notBefore = Timestamp(milliseconds: 9_000_000) })
        _ = desk.claim(jobID(1))
        let taken = desk.claim(jobID(1), who: "w2")
        #expect(taken.code == .unclaimable && taken.error?.owner == "w1")
        #expect(taken.error?.message == "job \(jobID(1)) is claimed by w1 until 1970-01-01T00:17:10.000Z")
        _ = desk.claim(jobID(2))
        _ = desk.consume(jobID(2))
        #expect(desk.claim(jobID(2)).error?.message.contains("is complete") == true)
        _ = desk.claim(jobID(3))
        _ = desk.abandon(jobID(3), failure: "x")
        #expect(desk.claim(jobID(3)).error?.message.contains("is trashed") == true)
        #expect(desk.claim(jobID(4)).error?.message.contains("delayed until 1970-01-01T02:30:00.000Z") == true)
        #expect(desk.claim(jobID(5)).code == .notFound)
        for number in 1...4 as ClosedRange<UInt64> { #expect(desk.claim(jobID(number)).code == .unclaimable) }
    }

    @Test func `claims go by priority, then by posting order, also for jobs that came back`() {
        var desk = Desk()
        desk.post(
            newJob(1) { $0.priority = .low }, newJob(2), newJob(3) { $0.priority = .veryHigh }, newJob(4), newJob(5),
            newJob(6) { $0.priority = .veryLow })
        #expect(desk.next(3).map(\.id) == [3, 2, 4].map(jobID))
        _ = desk.abandon(jobID(4))
        _ = desk.abandon(jobID(2))
        #expect(desk.next(10).map(\.id) == [2, 4, 5, 1, 6].map(jobID))
        #expect(desk.next().isEmpty)
    }

    @Test func `only the priorities and the name asked for are claimed`() {
        var desk = Desk()
        desk.post(newJob(1, "a"), newJob(2, "b"), newJob(3, "a") { $0.priority = .high }, newJob(4, "b") { $0.priority = .low })
        #expect(desk.next(5, name: "c").isEmpty)
        #expect(desk.next(5, priorities: [.low, .high], name: "b").map(\.id) == [jobID(4)])
        #expect(desk.next(5, name: "a").map(\.id) == [3, 1].map(jobID))
        #expect(desk.abandon(jobID(1)).job?.state == .unclaimed)
        #expect(desk.next(5, priorities: [.high]).isEmpty)
        #expect(desk.next(5, name: "a").map(\.id) == [jobID(1)])
        #expect(desk.next(5).map(\.id) == [jobID(2)])
        desk.machine.checkInvariants()
    }

    @Test func `nothing to claim is an empty answer, on an unknown board too`() {
        var desk = Desk()
        let want = ClaimNext(board: "nowhere", who: "w")
        #expect(desk.run(.claimNext(want)) == .claimed([]))
        #expect(!desk.machine.hasClaimable(want) && desk.machine.claimableCount(board: "nowhere") == 0)
        desk.post(newJob(1))
        #expect(desk.machine.hasClaimable(ClaimNext(board: "default", who: "w")))
        #expect(!desk.machine.hasClaimable(ClaimNext(board: "default", who: "w", priorities: [.high])))
        #expect(desk.next(name: "other").isEmpty)
        #expect(!desk.machine.hasClaimable(ClaimNext(board: "default", who: "w", name: "other")))
    }

    @Test func `one old job that nobody takes leaves no trail behind it`() {
        var desk = Desk()
        desk.post(newJob(1, "old"))
        for number in 2...3000 as ClosedRange<UInt64> {
            desk.post(newJob(number))
            _ = desk.claim(jobID(number))
            _ = desk.consume(jobID(number))
        }
        desk.machine.checkInvariants()  // Bounds what is left over in the orders.
        #expect(desk.machine.timers.count < 200)
        #expect(desk.next().map(\.id) == [jobID(1)])
    }

    @Test func `the first claim by name gives a large board an index, slice by slice, and claims then`() {
        var limits = BoardLimits()
        limits.namesAtOnce = 100
        var desk = Desk(limits: limits)
        for number in 1...1100 as ClosedRange<UInt64> { desk.post(newJob(number, number % 100 == 0 ? "rare" : "common")) }
        func call(_ name: String) -> SessionCommand {
            SessionCommand(
                session: desk.session, sequence: desk.sequence + 1, acknowledgedBelow: 0,
                command: .claimNext(ClaimNext(board: "default", who: "w1", name: name)))
        }
        #expect(desk.machine.precheck(call("none")) == nil, "worth an entry, once")
        #expect(desk.next(name: "rare").isEmpty && desk.machine.isBuildingNames(board: "default"))
        #expect(desk.machine.precheck(call("none")) == nil, "not known yet")
        desk.post(newJob(2000, "late"))
        var slices = 1
        while desk.machine.buildNameIndexes(records: 50) {
            slices += 1
            desk.machine.checkInvariants()
        }
        #expect((23...24).contains(slices) && !desk.machine.isBuildingNames(board: "default"))
        #expect(desk.machine.precheck(call("none")) == .claimed([]))
        #expect(desk.next(3, name: "rare").map(\.id) == [100, 200, 300].map(jobID))
        _ = desk.abandon(jobID(200))
        #expect(desk.next(2, name: "rare").map(\.id) == [200, 400].map(jobID))
        #expect(desk.next(2, name: "common").map(\.id) == [1, 2].map(jobID))
        #expect(desk.next(2, name: "late").map(\.id) == [jobID(2000)])
        desk.machine.checkInvariants()
    }

    @Test func `a small board is indexed within its first claim by name`() {
        var desk = Desk()
        for number in 1...1000 as ClosedRange<UInt64> { desk.post(newJob(number, "name-\(number)")) }
        #expect(desk.next(name: "name-700").map(\.id) == [jobID(700)])
        #expect(!desk.machine.isBuildingNames(board: "default"))
        #expect(!desk.machine.hasClaimable(ClaimNext(board: "default", who: "w", name: "name-700")))
        #expect(desk.machine.hasClaimable(ClaimNext(board: "default", who: "w", name: "name-701")))
        desk.machine.checkInvariants()
    }

    /// What a replica behind its leader does: the claim comes out of the log before its own walk has got there.
    @Test func `a claim that comes before the index is built gets what the others get`() {
        var limits = BoardLimits()
        limits.namesAtOnce = 10
        var desk = Desk(limits: limits)
        for number in 1...60 as ClosedRange<UInt64> {
            desk.post(newJob(number, number % 20 == 0 ? "rare" : "common") { $0.priority = number > 30 ? .high : .low })
        }
        _ = desk.next(name: "rare")
        desk.post(newJob(100, "rare") { $0.priority = .low })
        #expect(desk.next(name: "rare").map(\.id) == [jobID(40)])
        #expect(desk.machine.isBuildingNames(board: "default"), "the walk goes no further than it must")
        desk.machine.checkInvariants()
        #expect(desk.next(3, name: "rare").map(\.id) == [60, 20, 100].map(jobID))
        desk.machine.checkInvariants()
        #expect(desk.next(name: "rare").isEmpty && !desk.machine.isBuildingNames(board: "default"))
    }
}
