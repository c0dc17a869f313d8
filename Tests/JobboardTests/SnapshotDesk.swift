import Consensus
import Jobboard
import NodeEngine
import Testing

/// An applied state that is fed random commands in blocks, and what it answered.
struct SnapshotDesk {
    var state: AppliedState

    init(limits: BoardLimits = RandomCommandTests.limits, rememberedEvents: Int = 300) {
        state = AppliedState(limits: limits, rememberedEvents: rememberedEvents)
    }

    /// Applies a block; what it came to.
    mutating func apply(_ calls: [SessionCommand], at time: Int64) -> (outcomes: [Outcome], events: [Event]) {
        let entry = Entry(
            kind: .commands, term: 1, index: state.index + 1, time: UInt64(time), firstCommand: 0,
            commandCount: UInt32(calls.count), parent: .zero, digest: .zero, block: [])
        var outcomes: [Outcome] = []
        let events = state.apply(entry, count: calls.count, call: { calls[$0] }) { _, outcome in outcomes.append(outcome) }
        return (outcomes, events)
    }

    var bytes: [UInt8] { Self.bytes(state) }

    static func bytes(_ state: AppliedState) -> [UInt8] {
        var encoder = SnapshotEncoder(state)
        var all: [UInt8] = []
        while let piece = encoder.next() { all += piece }
        return all
    }

    /// Reads the bytes in pieces of random lengths.
    static func read(
        _ bytes: [UInt8], limits: BoardLimits = RandomCommandTests.limits, rememberedEvents: Int = 300,
        cut random: inout SplitMix64, longest: Int = 1 << 14
    ) throws -> AppliedState {
        var decoder = SnapshotDecoder(limits: limits, rememberedEvents: rememberedEvents)
        var place = 0
        while place < bytes.count {
            let next = min(bytes.count, place + random.below(longest))
            try decoder.take(Array(bytes[place..<next]))
            place = next
        }
        return try decoder.finish()
    }

    /// Reads the bytes at once.
    static func read(_ bytes: [UInt8]) throws -> AppliedState {
        var decoder = SnapshotDecoder(limits: RandomCommandTests.limits, rememberedEvents: 300)
        try decoder.take(bytes)
        return try decoder.finish()
    }
}

/// Makes blocks of random commands under several sessions, with details for some jobs.
struct BlockMaker {
    var maker: CommandMaker
    var time: Int64 = 1_000_000
    private var sent: [SessionCommand] = []
    private var sequences: [UInt64: UInt64] = [:]

    init(seed: UInt64) {
        maker = CommandMaker(seed: seed)
    }

    mutating func block(for machine: BoardMachine) throws -> [SessionCommand] {
        if maker.random.chance(60) { time += Int64(maker.random.below(900)) }
        var calls: [SessionCommand] = []
        for _ in 0...maker.random.below(5) {
            let live = try ["x", "y"].flatMap { try machine.jobs(JobsQuery(board: $0)).jobs }
            let call = Self.withDetails(RandomCommandTests.call(&maker, live, sent, &sequences))
            sent.append(call)
            calls.append(call)
        }
        return calls
    }

    /// Sessions that were opened are used from now on.
    mutating func took(_ outcomes: [Outcome]) {
        for case .sessionOpened(let id) in outcomes where sequences[id] == nil { sequences[id] = 0 }
    }

    /// The same details for the same uuid, so that repeated posts stay repeated posts.
    private static func withDetails(_ call: SessionCommand) -> SessionCommand {
        guard case .post(let board, var jobs) = call.command else { return call }
        for place in jobs.indices where jobs[place].id.low % 3 > 0 {
            let letter = UInt8(ascii: "a") + UInt8(jobs[place].id.low % 26)
            let text = [UInt8](repeating: letter, count: Int(jobs[place].id.low % 50))
            jobs[place].details = [UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")]
        }
        var call = call
        call.command = .post(board: board, jobs: jobs)
        return call
    }
}
