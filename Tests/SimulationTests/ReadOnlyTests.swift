import Consensus
import EventLog
import Jobboard
import NodeEngine
import NodeStorage
import Testing
import WireFormat

/// One node whose disk fills up, as its clients see it.
@Suite struct ReadOnlyTests {
    /// A lone node, with a disk that does all at once what it is asked.
    private struct Desk {
        var engine: Engine
        let log: EventLog
        var time: UInt64 = 0
        var request: UInt64 = 0
        var sequence: UInt64 = 0
        var session: UInt64 = 0
        var notices: [Notice] = []

        init(_ change: (inout EngineSettings) -> Void = { _ in }) throws {
            let id = NodeID(1)
            var settings = EngineSettings(cluster: "test", clientAddresses: [id: "h:1"])
            change(&settings)
            let found = try NodeRecovery.open(
                on: SimulatedDisk(), node: id, voters: [id],
                settings: settings,
                options: EventLogOptions(segmentBytes: 64 << 10), seed: 1, now: Moment(monotonic: 0, wall: 0))
            guard case .whole(let node) = found else { throw EventLogError(.damaged, "a new folder is damaged") }
            (engine, log) = (node.engine, node.log)
            _ = try step([.connectionOpened(1)])
            while !engine.replica.termIsOpen, time < 10_000 { _ = try step([.tick]) }
            let presentation = Request.session(
                local: 1, SessionToken(high: 1, low: 1), ttlMilliseconds: 60_000, resumed: false)
            let client = ClientReference(connection: 1, request: 0)
            guard case .outcome(.sessionOpened)? = try step([.request(client, presentation)]).first else {
                throw EventLogError(.damaged, "no session was opened")
            }
            session = 1
        }

        /// What clients are answered until the node has nothing more to do.
        mutating func step(_ inputs: [EngineInput]) throws -> [Response] {
            var (waiting, answers) = (inputs, [Response]())
            while !waiting.isEmpty {
                time += 10
                var effects: [EngineEffect] = []
                engine.step(waiting, at: Moment(monotonic: time, wall: 1_000_000 + time), into: &effects)
                waiting = []
                for effect in effects {
                    switch effect {
                    case .persist(let write):
                        try log.append([write])
                        waiting.append(.persisted(upTo: write.number))
                    case .reply(_, let response): answers.append(response)
                    case .notice(let notice): notices.append(notice)
                    default: break
                    }
                }
            }
            return answers
        }

        /// `again`: under the number of the last one.
        mutating func ask(_ command: Command, again: Bool = false) throws -> Response? {
            request += 1
            if session > 0, !again { sequence += 1 }
            let call = SessionCommand(
                session: session, sequence: session > 0 ? sequence : 0, acknowledgedBelow: sequence, command: command)
            let client = ClientReference(connection: 1, request: request)
            return try step([.request(client, .write(call, Sending(term: engine.ledTerm)))]).first
        }

        mutating func post(_ number: UInt64, again: Bool = false) throws -> Response? {
            try ask(.post(board: "default", jobs: [NewJob(id: JobID(high: 1, low: number), name: "n")]), again: again)
        }

        mutating func claim() throws -> Job? {
            let want = ClaimNext(board: "default", who: "w", count: 1, leaseMilliseconds: nil)
            guard case .outcome(.claimed(let jobs))? = try ask(.claimNext(want)) else { return nil }
            return jobs.first
        }

        mutating func consume(_ job: Job, followUps: [NewJob] = []) throws -> Response? {
            try ask(.consume(Holder(job: job.id, who: "w", fence: job.fence!), result: nil, followUps: followUps))
        }
    }

    private func isReadOnly(_ response: Response?) -> Bool {
        guard case .outcome(.refused(let error))? = response else { return false }
        return error.code == .readOnly && error.outcome == .notApplied
    }

    private func isOutcome(_ response: Response?) -> Bool {
        guard case .outcome(let outcome)? = response else { return false }
        if case .refused = outcome { return false }
        return true
    }

    @Test func fromTheReserveJobsAreWorkedOffAndNoneArePosted() throws {
        var desk = try Desk()
        for number in 1...2 { #expect(isOutcome(try desk.post(UInt64(number)))) }
        #expect(isOutcome(try desk.post(3)))
        _ = try desk.step([.room(.reserve), .tick])
        let before = desk.log.lastIndex
        #expect(isReadOnly(try desk.post(4)))
        #expect(desk.log.lastIndex == before, "a refusal costs no log entry")
        // A repeated post has had its effect; saying so needs no room.
        #expect(isOutcome(try desk.ask(.post(board: "default", jobs: [NewJob(id: JobID(high: 1, low: 2), name: "n")]))))
        let job = try #require(try desk.claim())
        let more = NewJob(id: JobID(high: 1, low: 9), name: "more")
        #expect(isReadOnly(try desk.consume(job, followUps: [more])), "what follows would be posted")
        #expect(isOutcome(try desk.consume(job)))
        #expect(desk.engine.status.clusterRoom == .reserve && desk.engine.status.room == .reserve)
        #expect(desk.notices.contains(.readOnly(true, cluster: .reserve)))

        _ = try desk.step([.room(.ample), .tick])
        #expect(isOutcome(try desk.post(4)), "nothing has to be started anew")
        #expect(desk.notices.last == .readOnly(false, cluster: .ample))
    }

    @Test func withoutAnyRoomNothingIsChanged() throws {
        var desk = try Desk()
        for number in 1...2 { _ = try desk.post(UInt64(number)) }
        let job = try #require(try desk.claim())
        _ = try desk.step([.room(.none), .tick])
        let before = desk.log.lastIndex
        #expect(isReadOnly(try desk.post(4)))
        #expect(isReadOnly(try desk.consume(job)))
        #expect(try desk.claim() == nil)
        #expect(desk.log.lastIndex == before)
        let client = ClientReference(connection: 1, request: 99)
        let counted = try desk.step([.request(client, .read(.count(board: "default", state: nil), fresh: true))])
        #expect(counted == [.count(2)], "reads need no room")
        _ = try desk.step([.room(.reserve), .tick])
        #expect(isOutcome(try desk.consume(job)))
    }

    @Test func jobsThatTakeAllMemoryAreWorkedOffAndNoneArePosted() throws {
        var desk = try Desk { settings in
            settings.replica.memoryBytes = 400_000
            settings.limits.completedJobs = 1
        }
        var posted: UInt64 = 0
        while posted < 2000, isOutcome(try desk.post(posted + 1)) { posted += 1 }
        #expect(posted > 500 && posted < 1000)
        _ = try desk.step([.tick])
        #expect(isReadOnly(try desk.post(posted + 1)))
        #expect(desk.engine.status.isShortOfMemory && desk.engine.status.isReadOnly)
        #expect(desk.engine.state.machine.accountedBytes <= 360_000)
        guard case .memoryIsShort(true, _, limit: 400_000)? = desk.notices.last else {
            return #expect(Bool(false), "no warning: \(desk.notices)")
        }
        let job = try #require(try desk.claim())
        let more = NewJob(id: JobID(high: 1, low: 5000), name: "more")
        #expect(isOutcome(try desk.consume(job, followUps: [more])), "follow-ups draw on the reserve")
        for _ in 1...60 { #expect(isOutcome(try desk.consume(try #require(try desk.claim())))) }
        _ = try desk.step([.tick])
        #expect(isOutcome(try desk.post(6000)), "there is room again")
        guard case .memoryIsShort(false, _, _)? = desk.notices.last else {
            return #expect(Bool(false), "no all-clear: \(desk.notices)")
        }
    }

    @Test func aWarningRefusesNothing() throws {
        var desk = try Desk()
        _ = try desk.step([.room(.low), .tick])
        #expect(isOutcome(try desk.post(1)))
        #expect(desk.notices.contains(.room(.low)))
    }
}
