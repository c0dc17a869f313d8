import Jobboard
import Testing

@Suite struct ListingTests {
    /// Every page of a listing, one after the other.
    static func walk(_ machine: BoardMachine, _ query: JobsQuery) throws -> [Job] {
        var query = query
        var jobs: [Job] = []
        for _ in 0..<100_000 {
            let page = try machine.jobs(query)
            #expect(page.jobs.count <= Int(query.limit) && page.position == machine.lastPosition)
            jobs += page.jobs
            guard let cursor = page.cursor else { return jobs }
            query.cursor = JobsQuery.Cursor(text: cursor.text)
        }
        Issue.record("the cursor never ends")
        return jobs
    }

    /// 200 jobs of all priorities; of every five one is claimed, one complete, one in the trash.
    static func desk(_ limits: BoardLimits = BoardLimits()) -> Desk {
        var desk = Desk(limits: limits)
        for number in 0..<200 as Range<UInt64> {
            desk.post(
                newJob(number, number % 2 == 0 ? "even" : "odd") {
                    ($0.priority, $0.maxFailures) = (Priority.allCases[Int(number * 7 % 5)], 1)
                })
        }
        for number in (0..<200 as Range<UInt64>).reversed() where number % 5 > 1 {
            _ = desk.claim(jobID(number * 37 % 200))
            if number % 5 == 3 { _ = desk.consume(jobID(number * 37 % 200)) }
            if number % 5 == 4 { _ = desk.abandon(jobID(number * 37 % 200), failure: "x") }
        }
        return desk
    }

    @Test(arguments: [1, 3, 7, 10_000] as [UInt32])
    func `a walk with the cursor meets every job once, in order`(limit: UInt32) throws {
        let machine = Self.desk().machine
        machine.checkInvariants()
        let all = try Self.walk(machine, JobsQuery(board: "default", states: .all, limit: limit))
        #expect(all.count == 200 && Set(all.map(\.id)).count == 200)
        #expect(
            all.map { [UInt64($0.priority.rawValue), $0.position] }
                == all.map { [UInt64($0.priority.rawValue), $0.position] }.sorted { $0.lexicographicallyPrecedes($1) })
        for state in JobState.allCases {
            let some = try Self.walk(machine, JobsQuery(board: "default", states: [state], limit: limit))
            #expect(some == all.filter { $0.state == state } && some.count == machine.count(board: "default", state: state))
        }
        let live = try Self.walk(machine, JobsQuery(board: "default", limit: limit))
        #expect(live == all.filter { $0.state == .unclaimed || $0.state == .claimed })
        let mine = try Self.walk(machine, JobsQuery(board: "default", owner: "w1", name: "odd", limit: limit))
        #expect(mine == all.filter { $0.owner == "w1" && $0.name == "odd" } && !mine.isEmpty)
    }

    @Test func `a page looks at a bounded number of jobs and says where to go on`() throws {
        var limits = BoardLimits()
        limits.pageScan = 3
        let machine = Self.desk(limits).machine
        let page = try machine.jobs(JobsQuery(board: "default", owner: "nobody"))
        #expect(page.jobs.isEmpty && page.cursor != nil)
        let all = try Self.walk(machine, JobsQuery(board: "default", states: .all))
        #expect(all.count == 200)
    }

    /// While a page is made, nothing else is answered: so it ends at a number of bytes, behind the job that reaches it.
    @Test func `a page ends when its jobs reach the bytes of a page`() throws {
        var limits = BoardLimits()
        limits.pageBytes = 1000
        var desk = Desk(limits: limits)
        for number in 0..<10 as Range<UInt64> {
            desk.post(newJob(number) { $0.details = Array(repeating: UInt8(ascii: "1"), count: 300) })
        }
        let page = try desk.machine.jobs(JobsQuery(board: "default"))
        #expect((1...3).contains(page.jobs.count) && page.cursor != nil)
        #expect(try Self.walk(desk.machine, JobsQuery(board: "default")).count == 10)
    }

    @Test func `the last page has no cursor, even when it is full`() throws {
        var desk = Desk()
        desk.post(newJob(1), newJob(2))
        let page = try desk.machine.jobs(JobsQuery(board: "default", limit: 2))
        #expect(page.jobs.count == 2 && page.cursor == nil)
        #expect(try desk.machine.jobs(JobsQuery(board: "default", limit: 1)).cursor?.text == "2-1")
    }

    @Test func `bad limits are refused, and an unknown board is empty`() throws {
        let machine = BoardMachine()
        for limit in [0, 10_001] as [UInt32] {
            #expect(throws: JobboardError.self) { try machine.jobs(JobsQuery(board: "b", limit: limit)) }
        }
        #expect(try machine.jobs(JobsQuery(board: "b")) == JobsPage(jobs: [], cursor: nil, position: 0))
        #expect(machine.count(board: "b", state: nil) == 0 && machine.totals(state: .complete) == 0 && machine.boardNames == [])
        let beyond = JobsQuery.Cursor(text: "4-18446744073709551615")
        #expect(try Self.desk().machine.jobs(JobsQuery(board: "default", cursor: beyond)).jobs.isEmpty)
    }
}
