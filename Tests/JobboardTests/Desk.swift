import Testing

@testable import Jobboard

/// A small generator with a fixed seed (SplitMix64), so that a random test is the same one each time.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}

/// A machine with an open session and a clock, so that a test reads like a talk. Each command is prechecked first, and what
/// precheck says must come true.
struct Desk {
    var machine: BoardMachine
    var session: UInt64 = 0
    var sequence: UInt64 = 0
    var events: [Event] = []
    var time: Int64 = 1_000_000

    private var opened: UInt64 = 0

    init(limits: BoardLimits = BoardLimits()) {
        machine = BoardMachine(limits: limits)
        wait(0)
        session = openSession()
    }

    var kinds: [EventKind] { events.map(\.kind) }

    mutating func openSession(ttl: UInt32 = 3_600_000) -> UInt64 {
        opened += 1
        let call = SessionCommand(
            session: 0, sequence: 1, acknowledgedBelow: 0, command: .openSession(sessionKey(opened), ttlMilliseconds: ttl))
        guard case .sessionOpened(let id) = machine.apply(call, events: &events) else { return 0 }
        return id
    }

    /// Starts a block `milliseconds` later; `events` are then those of the block's start.
    mutating func wait(_ milliseconds: Int64) {
        time += milliseconds
        events = []
        machine.beginBlock(at: Timestamp(milliseconds: time), events: &events)
    }

    mutating func send(_ call: SessionCommand, _ location: SourceLocation = #_sourceLocation) -> Outcome {
        let expected = machine.precheck(call)
        events = []
        let outcome = machine.apply(call, events: &events)
        if let expected {
            #expect(expected == outcome, sourceLocation: location)
            #expect(events.isEmpty, sourceLocation: location)
        }
        return outcome
    }

    mutating func run(_ command: Command, _ location: SourceLocation = #_sourceLocation) -> Outcome {
        sequence += 1
        return send(
            SessionCommand(session: session, sequence: sequence, acknowledgedBelow: sequence, command: command), location)
    }

    @discardableResult
    mutating func post(_ jobs: NewJob..., board: String = "default", _ location: SourceLocation = #_sourceLocation) -> [Job] {
        guard case .posted(let posted, _) = run(.post(board: board, jobs: jobs), location) else {
            Issue.record("the post was refused", sourceLocation: location)
            return []
        }
        return posted
    }

    mutating func claim(_ job: JobID, who: String = "w1", lease: UInt32? = nil) -> Outcome {
        run(.claim(job: job, who: who, leaseMilliseconds: lease))
    }

    mutating func next(
        _ count: UInt32 = 1, who: String = "w1", board: String = "default", priorities: Priorities = [], name: String? = nil
    ) -> [Job] {
        guard
            case .claimed(let jobs) = run(
                .claimNext(ClaimNext(board: board, who: who, count: count, priorities: priorities, name: name)))
        else { return [] }
        return jobs
    }

    mutating func abandon(_ job: JobID, delay: UInt64? = nil, failure: String? = nil, fence: UInt64? = nil) -> Outcome {
        run(.abandon(Holder(job: job, who: "w1", fence: fence), delayMilliseconds: delay, failure: failure))
    }

    mutating func consume(_ job: JobID, result: String? = nil, followUps: [NewJob] = []) -> Outcome {
        run(.consume(Holder(job: job, who: "w1"), result: result.map { Array($0.utf8) }, followUps: followUps))
    }
}

/// A job whose identity is a small number.
func newJob(_ number: UInt64, _ name: String = "n", _ change: (inout NewJob) -> Void = { _ in }) -> NewJob {
    var job = NewJob(id: jobID(number), name: name)
    change(&job)
    return job
}

func sessionKey(_ number: UInt64) -> SessionKey { SessionKey(high: 1, low: number) }

func jobID(_ number: UInt64) -> JobID { JobID(high: 0, low: number) }

extension Outcome {
    var code: JobboardError.Code? { error?.code }
    var error: JobboardError? { if case .refused(let error) = self { error } else { nil } }
    var job: Job? {
        switch self {
        case .changed(let job): job
        case .claimed(let jobs): jobs.first
        case .posted(let jobs, _): jobs.first
        default: nil
        }
    }
    var duplicates: [Bool]? { if case .posted(_, let duplicates) = self { duplicates } else { nil } }
}
