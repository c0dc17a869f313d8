import Testing

@testable import Jobboard

/// Makes commands of every kind, mostly sensible ones, over a small set of jobs, boards and workers so that they meet.
struct CommandMaker {
    var random: SplitMix64
    var nextID: UInt64 = 1

    init(seed: UInt64) {
        random = SplitMix64(state: seed)
    }

    mutating func command(live: [Job]) -> Command {
        switch random.below(100) {
        case 0..<22: .post(board: board(), jobs: (0..<(random.chance(80) ? 1 : random.below(4) + 1)).map { _ in job() })
        case 22..<45: .claimNext(want())
        case 45..<55: .claim(job: known(live), who: who(), leaseMilliseconds: lease())
        case 55..<62: .extend(holder(live), leaseMilliseconds: lease())
        case 62..<74:
            .abandon(
                holder(live), delayMilliseconds: random.chance(50) ? UInt64(random.below(3000)) : nil,
                failure: random.chance(50) ? "failed" : nil)
        default:
            .consume(
                holder(live), result: random.chance(20) ? Array(random.chance(90) ? "1".utf8 : "{".utf8) : nil,
                followUps: random.chance(20) ? [job()] : [])
        }
    }

    mutating func want() -> ClaimNext {
        ClaimNext(
            board: board(), who: who(), count: UInt32(random.below(4)), leaseMilliseconds: lease(),
            priorities: random.chance(30) ? [random.pick(Priority.allCases), random.pick(Priority.allCases)] : [],
            name: random.chance(30) ? random.pick(["a", "b", "c"]) : nil)
    }

    private mutating func board() -> String { random.pick(["x", "x", "y"]) }
    private mutating func who() -> String { random.chance(98) ? random.pick(["w1", "w2"]) : "" }
    private mutating func lease() -> UInt32? { random.chance(60) ? UInt32(random.below(4000) + 90) : nil }

    private mutating func known(_ live: [Job]) -> JobID {
        live.isEmpty || random.chance(15) ? jobID(UInt64(random.below(Int(nextID)) + 1)) : random.pick(live).id
    }

    /// Mostly the true owner of a claimed job, so that most of them succeed.
    private mutating func holder(_ live: [Job]) -> Holder {
        let claimed = live.filter { $0.state == .claimed }
        guard !claimed.isEmpty, random.chance(85) else { return Holder(job: known(live), who: who(), fence: nil) }
        let job = random.pick(claimed)
        return Holder(
            job: job.id, who: random.chance(95) ? job.owner ?? "" : who(),
            fence: random.chance(50) ? nil : random.chance(90) ? job.fence : 1)
    }

    private mutating func job() -> NewJob {
        if random.chance(90) { nextID += 1 }
        var job = NewJob(
            id: jobID(random.chance(90) ? nextID : UInt64(random.below(Int(nextID)) + 1)), name: random.pick(["a", "b"]),
            priority: random.pick(Priority.allCases))
        if random.chance(10) { job.key = random.pick(["k1", "k2"]) }
        if random.chance(10) { job.delayMilliseconds = UInt64(random.below(3000)) }
        if random.chance(10) { job.expiresAfterMilliseconds = UInt64(random.below(5000)) }
        if random.chance(10) { job.leaseMilliseconds = UInt32(random.below(3000) + 100) }
        if random.chance(20) { job.maxFailures = UInt32(random.below(3) + 1) }
        if random.chance(20) { job.maxLostClaims = UInt32(random.below(3)) }
        if random.chance(1) { job.name = "" }
        return job
    }
}

@Suite struct RandomCommandTests {
    static var limits: BoardLimits {
        var limits = BoardLimits()
        (limits.completedJobs, limits.timersPerBlock, limits.sessionWindow, limits.sessions) = (20, 6, 8, 5)
        limits.namesAtOnce = 4
        return limits
    }

    static func contents(_ machine: BoardMachine) throws -> [Job] {
        try ["x", "y"].flatMap { try machine.jobs(JobsQuery(board: $0, states: .all, limit: 10_000)).jobs }
    }

    /// Commands under several sessions, with retries, late acknowledgements and sessions that end.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `two machines agree after any commands, and precheck tells what apply does`(seed: UInt64) throws {
        var maker = CommandMaker(seed: seed)
        var machines = [BoardMachine(limits: Self.limits), BoardMachine(limits: Self.limits)]
        var time: Int64 = 0
        var sent: [SessionCommand] = []
        var sequences: [UInt64: UInt64] = [:]
        var kinds: Set<EventKind> = []
        var lastPosition: UInt64 = 0
        var prechecked = 0
        var live: [Job] = []
        for step in 0..<7000 {
            var events: [[Event]] = [[], []]
            if maker.random.chance(30) {
                time += Int64(maker.random.below(600)) - 50
                for index in 0..<2 { machines[index].beginBlock(at: Timestamp(milliseconds: time), events: &events[index]) }
            }
            if step % 4 == 0 { live = try ["x", "y"].flatMap { try machines[0].jobs(JobsQuery(board: $0)).jobs } }
            let call = Self.call(&maker, live, sent, &sequences)
            sent.append(call)
            let expected = machines[0].precheck(call)
            let before = expected == nil || step % 25 > 0 ? nil : try Self.contents(machines[0])
            let eventsBefore = events[0].count
            let outcome = machines[0].apply(call, events: &events[0])
            #expect(machines[1].apply(call, events: &events[1]) == outcome && events[0] == events[1])
            if case .sessionOpened(let id) = outcome, sequences[id] == nil { sequences[id] = 0 }
            if let expected {
                prechecked += 1
                #expect(expected == outcome && events[0].count == eventsBefore, "\(call)")
                if let before { #expect(try Self.contents(machines[0]) == before) }
            } else if case .refused = outcome {
                Issue.record("precheck let \(call) through to \(outcome)")
            } else if case .claimed([]) = outcome, !Self.mayFindNothing(call) {
                Issue.record("precheck let \(call) through for nothing")
            }
            for event in events[0] {
                lastPosition += 1
                #expect(event.position == lastPosition)
                kinds.insert(event.kind)
            }
            #expect(machines[0].lastPosition == lastPosition && machines[0].nextDeadline == machines[1].nextDeadline)
            if step % 100 == 0 {
                for machine in machines { machine.checkInvariants() }
                #expect(machines[0].fingerprint() == machines[1].fingerprint())
                machines[1].forgetWhatIsOnlyForSpeed()
            }
            // Each builds at a pace of its own.
            _ = machines[0].buildNameIndexes(records: maker.random.below(3))
            if step % 50 == 0 { _ = machines[1].buildNameIndexes(records: 1) }
        }
        #expect(prechecked > 1000)
        #expect(kinds == [.posted, .claimed, .extended, .abandoned, .failed, .leaseExpired, .consumed, .trashed])
    }

    /// A claim by name may have to be carried out to know what it gets: for a board's index of names, and while that is built.
    private static func mayFindNothing(_ call: SessionCommand) -> Bool {
        if case .claimNext(let want) = call.command { want.name != nil } else { false }
    }

    /// A new command of some session, an old one again, or one about sessions.
    static func call(
        _ maker: inout CommandMaker, _ live: [Job], _ sent: [SessionCommand], _ sequences: inout [UInt64: UInt64]
    ) -> SessionCommand {
        if sequences.isEmpty || maker.random.chance(1) {
            let ttl = maker.random.chance(90) ? UInt32(maker.random.below(60_000) + 1000) : 10
            // Mostly a new one; now and then one that may be there.
            let key = sessionKey(UInt64(maker.random.below(maker.random.chance(90) ? 1 << 40 : 3)))
            return SessionCommand(
                session: 0, sequence: 0, acknowledgedBelow: 0, command: .openSession(key, ttlMilliseconds: ttl))
        }
        if maker.random.chance(10), let old = sent.suffix(20).randomElement(using: &maker.random) { return old }
        let newest = sequences.keys.max() ?? 0
        let session = newest - min(newest, UInt64(maker.random.below(6)))
        let sequence = (sequences[session] ?? 0) + (maker.random.chance(5) ? 2 : 1)
        sequences[session] = sequence
        let behind = UInt64(maker.random.below(10))
        let closes = maker.random.below(1000) < 3
        return SessionCommand(
            session: session, sequence: sequence,
            acknowledgedBelow: maker.random.chance(1) ? sequence + 1 : sequence - min(sequence, behind),
            command: closes ? .closeSession : maker.command(live: live))
    }

    @Test func `different states have different fingerprints`() {
        var desk = Desk()
        var seen: Set<UInt64> = [desk.machine.fingerprint()]
        func expectNew(_ location: SourceLocation = #_sourceLocation) {
            #expect(seen.insert(desk.machine.fingerprint()).inserted, sourceLocation: location)
        }
        desk.wait(1)
        expectNew()
        desk.post(newJob(1) { $0.maxFailures = 3 }, newJob(2))
        expectNew()
        desk.post(newJob(3) { $0.maxLostClaims = 3 })
        _ = desk.claim(jobID(3), lease: 1000)
        desk.wait(1000)
        expectNew()
        _ = desk.claim(jobID(1))
        expectNew()
        _ = desk.abandon(jobID(1), delay: 0, failure: "a")
        expectNew()
        _ = desk.claim(jobID(1))
        _ = desk.consume(jobID(1), result: "1")
        expectNew()
        _ = desk.openSession()
        expectNew()
    }

    @Test func `a fingerprint is the same in every process`() {
        var desk = Desk()
        desk.post(newJob(1, "n") { ($0.details, $0.key) = (Array("[true]".utf8), "k") })
        #expect(desk.machine.fingerprint() == 10_657_437_290_241_023_316)
    }
}

extension BoardMachine {
    /// Indexes of names are built anew, from the start.
    mutating func forgetWhatIsOnlyForSpeed() {
        unbuiltNames = []
        for index in boards.indices where boards[index].hasNames {
            boards[index].names = NameIndex(began: lastPosition)
            unbuiltNames.append(Int32(index))
        }
    }
}
