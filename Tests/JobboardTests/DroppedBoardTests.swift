import Testing

@testable import Jobboard

@Suite struct DroppedBoardTests {
    private static var limits: BoardLimits {
        var limits = BoardLimits()
        (limits.boards, limits.completedJobs) = (3, 1)
        return limits
    }

    private static func live(_ number: UInt64, on board: String, _ desk: inout Desk) {
        desk.post(newJob(number), board: board)
        _ = desk.claim(jobID(number))
        _ = desk.consume(jobID(number))
    }

    @Test func `a board ends with its last remembered job, and what was consumed there stays in the total`() {
        var desk = Desk(limits: Self.limits)
        Self.live(1, on: "a", &desk)
        #expect(desk.machine.boardNames == ["a"] && desk.machine.count(board: "a", state: .complete) == 1)
        Self.live(2, on: "b", &desk)
        #expect(desk.machine.boardNames == ["b"] && desk.machine.count(board: "a", state: .complete) == 0)
        #expect(desk.machine.totals(state: .complete) == 2)
        desk.machine.checkInvariants()
    }

    @Test func `a board with a job on it or in the trash stays`() {
        var desk = Desk(limits: Self.limits)
        desk.post(newJob(1), newJob(2) { $0.maxFailures = 1 }, board: "a")
        desk.post(newJob(3), board: "b")
        for number in [2, 3] as [UInt64] { _ = desk.claim(jobID(number)) }
        _ = desk.abandon(jobID(2), failure: "f")
        _ = desk.consume(jobID(3))
        _ = desk.claim(jobID(1))
        _ = desk.consume(jobID(1))
        #expect(desk.machine.boardNames == ["a"], "a has a trashed job and b nothing any more")
        desk.machine.checkInvariants()
    }

    @Test func `many boards may come one after another, and orders start anew in a slot that is used again`() {
        var desk = Desk(limits: Self.limits)
        for number in 1...200 as ClosedRange<UInt64> { Self.live(number, on: "board\(number)", &desk) }
        #expect(desk.machine.boardCount == 1 && desk.machine.boards.count <= 3)
        desk.post(newJob(1001), newJob(1002) { $0.key = "k" }, board: "again")
        #expect(desk.next(2, board: "again").map(\.id) == [jobID(1001), jobID(1002)])
        #expect(desk.machine.totals(state: .complete) == 200)
        desk.machine.checkInvariants()
    }

    @Test func `a board is kept by the follow-up of its last job, though that job is forgotten at once`() {
        var limits = Self.limits
        limits.completedBytes = 0
        var desk = Desk(limits: limits)
        desk.post(newJob(1), board: "a")
        _ = desk.claim(jobID(1))
        _ = desk.consume(jobID(1), followUps: [newJob(2)])
        #expect(desk.machine.boardNames == ["a"] && desk.machine.job(jobID(1)) == nil)
        #expect(desk.claim(jobID(2)).job?.board == "a")
        desk.machine.checkInvariants()
    }
}
