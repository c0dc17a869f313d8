import Jobboard
import Testing

@Suite struct PostTests {
    @Test func `a posted job is unclaimed, and its position is that of its event`() throws {
        var desk = Desk()
        let job = try #require(
            desk.post(
                newJob(1, "resize") {
                    $0.details = Array("{\"a\":1}".utf8)
                    $0.book = Book(uuid: jobID(9), name: "log")
                }
            ).first)
        #expect(job.state == .unclaimed && job.position == 1 && job.name == "resize" && job.board == "default")
        #expect(job.createdOn.milliseconds == desk.time && job.lastModified == job.createdOn && job.book?.name == "log")
        #expect(desk.kinds == [.posted] && desk.events[0].position == 1 && desk.events[0].job == job.id)
        #expect(desk.machine.job(job.id) == job && desk.machine.lastPosition == 1)
        #expect(desk.machine.boardNames == ["default"])
    }

    @Test func `the same post again answers the job as it stands, with no event`() {
        var desk = Desk()
        desk.post(newJob(1) { $0.delayMilliseconds = 5000 })
        desk.wait(6000)
        let claimed = desk.claim(jobID(1)).job
        let again = desk.run(.post(board: "default", jobs: [newJob(1) { $0.delayMilliseconds = 5000 }]))
        #expect(again == .posted([claimed!], duplicates: [true]) && desk.events.isEmpty)
    }

    @Test func `the same uuid with other content, or on another board, is a duplicate`() {
        var desk = Desk()
        desk.post(newJob(1, "a"))
        #expect(desk.run(.post(board: "default", jobs: [newJob(1, "b")])).code == .duplicate)
        #expect(desk.run(.post(board: "other", jobs: [newJob(1, "a")])).code == .duplicate)
        #expect(desk.run(.post(board: "default", jobs: [newJob(1, "a") { $0.maxFailures = 1 }])).code == .duplicate)
        #expect(desk.machine.boardNames == ["default"], "a refused post makes no board")
    }

    @Test func `a complete job is still told from another with its uuid`() {
        var desk = Desk()
        let new = newJob(1) { $0.details = Array("[1]".utf8) }
        desk.post(new)
        _ = desk.claim(new.id)
        _ = desk.consume(new.id, result: "7")
        let done = desk.machine.job(new.id)
        #expect(done?.state == .complete && done?.result == Array("7".utf8) && done?.details == [])
        #expect(desk.run(.post(board: "default", jobs: [new])) == .posted([done!], duplicates: [true]))
        #expect(desk.run(.post(board: "default", jobs: [newJob(1)])).code == .duplicate)
    }

    @Test func `a live key answers the job that holds it, on its board alone`() {
        var desk = Desk()
        let holder = desk.post(newJob(1) { $0.key = "k" })[0]
        let second = desk.run(.post(board: "default", jobs: [newJob(2, "x") { $0.key = "k" }]))
        #expect(second == .posted([holder], duplicates: [true]) && desk.machine.job(jobID(2)) == nil)
        #expect(desk.run(.post(board: "other", jobs: [newJob(3) { $0.key = "k" }])).duplicates == [false])
        _ = desk.claim(jobID(1))
        _ = desk.consume(jobID(1))
        #expect(desk.run(.post(board: "default", jobs: [newJob(4) { $0.key = "k" }])).duplicates == [false])
    }

    @Test func `a job in the trash has given its key up`() {
        var desk = Desk()
        desk.post(newJob(1) { ($0.key, $0.maxFailures) = ("k", 1) })
        _ = desk.claim(jobID(1))
        #expect(desk.abandon(jobID(1), failure: "no").job?.state == .trashed)
        #expect(desk.run(.post(board: "default", jobs: [newJob(2) { $0.key = "k" }])).duplicates == [false])
    }

    @Test func `a list is posted whole, and its own repetitions are found`() {
        var desk = Desk()
        let (a, b) = (newJob(1), newJob(2) { $0.key = "k" })
        let outcome = desk.run(.post(board: "default", jobs: [a, b, a, newJob(3) { $0.key = "k" }]))
        guard case .posted(let jobs, let duplicates) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(duplicates == [false, false, true, true] && jobs.map(\.id) == [1, 2, 1, 2].map(jobID))
        #expect(desk.kinds == [.posted, .posted] && jobs.map(\.position) == [1, 2, 1, 2])
        let again = desk.run(.post(board: "default", jobs: [a, b, a, newJob(3) { $0.key = "k" }]))
        #expect(again == .posted(jobs, duplicates: [true, true, true, true]))
    }

    @Test func `a list with one bad job posts none and names it`() {
        var desk = Desk()
        desk.post(newJob(3, "old"))
        let clash = desk.run(.post(board: "default", jobs: [newJob(1), newJob(2), newJob(3, "new")]))
        #expect(clash.code == .duplicate && clash.error?.message.contains("job 3 of 3") == true)
        let within = desk.run(.post(board: "default", jobs: [newJob(1), newJob(1, "other")]))
        #expect(within.code == .duplicate && within.error?.message.contains("job 2 of 2") == true)
        let invalid = desk.run(.post(board: "default", jobs: [newJob(1), newJob(2, "")]))
        #expect(invalid.code == .invalidArgument && invalid.error?.message.contains("job 2 of 2") == true)
        #expect(desk.machine.count(board: "default", state: nil) == 1)
    }

    @Test func `past the bound of jobs or boards a post is told overloaded`() {
        var limits = BoardLimits()
        (limits.jobs, limits.boards) = (2, 1)
        var desk = Desk(limits: limits)
        #expect(desk.run(.post(board: "default", jobs: [newJob(1), newJob(2), newJob(3)])).code == .overloaded)
        desk.post(newJob(1))
        #expect(desk.run(.post(board: "other", jobs: [newJob(2)])).code == .overloaded)
        desk.post(newJob(2))
        #expect(desk.run(.post(board: "default", jobs: [newJob(3)])).code == .overloaded)
        #expect(desk.run(.post(board: "default", jobs: [newJob(2)])).duplicates == [true])
    }
}
