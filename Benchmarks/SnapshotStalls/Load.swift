import Consensus
import Jobboard
import NodeEngine

/// A state with many jobs, and commands of all kinds that reach all over it.
struct Load {
    private(set) var state = AppliedState(rememberedEvents: 100_000)
    private var random = SplitMix64(seed: 1)
    private var moment: UInt64 = 1_700_000_000_000
    private var sequence: [UInt64] = []
    /// Jobs that are probably on the board.
    private var known: [JobID] = []
    private let details =
        Array(#"{"source":"s3://photos/2026/11/"#.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 166) + Array(#""}"#.utf8)
    private static let sessions = 1000

    /// Posts so many jobs, every tenth with a key, every tenth with an expiry, every twentieth delayed; claims a third.
    init(jobs: Int) {
        apply(
            (0..<Self.sessions).map { _ in
                SessionCommand(
                    session: 0, sequence: 0, acknowledgedBelow: 0,
                    command: .openSession(SessionKey(high: 1, low: 1), ttlMilliseconds: 3_600_000))
            })
        sequence = Array(repeating: 0, count: Self.sessions)
        known.reserveCapacity(jobs)
        for start in stride(from: 0, to: jobs, by: 100) {
            apply((0..<min(100, jobs - start)).map { call(post(start + $0)) })
            if start % 300 == 0 { apply((0..<100).map { _ in call(next()) }) }
        }
    }

    private mutating func call(_ command: Command) -> SessionCommand {
        let place = Int.random(in: 0..<Self.sessions, using: &random)
        sequence[place] += 1
        // The last few outcomes are kept, as for a client with calls under way.
        return SessionCommand(
            session: UInt64(place + 1), sequence: sequence[place], acknowledgedBelow: sequence[place] - min(sequence[place], 3),
            command: command)
    }

    private mutating func post(_ number: Int) -> Command {
        var job = NewJob(id: .random(using: &random), name: "resize", details: details)
        if number % 10 == 1 { job.key = "photos/2026/11/a-key-of-some-length-\(number)" }
        if number % 10 == 2 { job.expiresAfterMilliseconds = 86_400_000 + UInt64(number) }
        if number % 20 == 3 { job.delayMilliseconds = 43_200_000 + UInt64(number % 1000) }
        if number % 7 == 3 { job.priority = .high }
        known.append(job.id)
        return .post(board: number % 50 == 7 ? "other" : "default", jobs: [job])
    }

    private mutating func next() -> Command {
        .claimNext(ClaimNext(board: "default", who: "worker-1", leaseMilliseconds: 600_000))
    }

    private mutating func apply(_ calls: [SessionCommand]) {
        moment += 1
        let entry = Entry(
            kind: .commands, term: 1, index: state.index + 1, time: moment, firstCommand: 0, commandCount: UInt32(calls.count),
            parent: .zero, digest: .zero, block: [])
        _ = state.apply(entry, count: calls.count, call: { calls[$0] }) { _, _ in }
    }

    private mutating func anyJob() -> JobID { known[Int.random(in: 0..<known.count, using: &random)] }

    private mutating func command() -> Command {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<20: post(known.count)
        case 20..<35: next()
        case 35..<60: .claim(job: anyJob(), who: "worker-1", leaseMilliseconds: 600_000)
        case 60..<70: .extend(Holder(job: anyJob(), who: "worker-1"), leaseMilliseconds: 300_000)
        case 70..<80: .abandon(Holder(job: anyJob(), who: "worker-1"), delayMilliseconds: nil, failure: nil)
        default: .consume(Holder(job: anyJob(), who: "worker-1"), result: nil, followUps: [])
        }
    }

    /// Applies 100 commands of all kinds; how long that took.
    mutating func applyBlock() -> Span {
        let calls = (0..<100).map { _ in call(command()) }
        return time { apply(calls) }
    }

    /// Posts, claims and consumes so many jobs.
    mutating func live(_ count: Int) {
        for _ in 0..<count / 32 {
            let ids = (0..<32).map { _ in JobID.random(using: &random) }
            apply(ids.map { call(.post(board: "default", jobs: [NewJob(id: $0, name: "resize", details: details)])) })
            apply(ids.map { call(.claim(job: $0, who: "worker-1", leaseMilliseconds: nil)) })
            apply(ids.map { call(.consume(Holder(job: $0, who: "worker-1"), result: nil, followUps: [])) })
        }
    }
}
