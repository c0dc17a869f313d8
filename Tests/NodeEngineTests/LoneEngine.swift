import Consensus
import EventLog
import Jobboard
import NodeStorage
import Testing
import WireFormat

@testable import NodeEngine

/// One engine that leads a cluster of itself, over a disk in memory, without sockets. Each turn is followed by the disk's
/// answer unless the disk is stalled.
struct LoneEngine {
    struct Reply {
        var client: ClientReference
        var response: Response
    }

    private(set) var engine: Engine
    private let log: EventLog
    private(set) var now: UInt64 = 1
    private(set) var replies: [Reply] = []
    private(set) var digestsAsked: [AppliedState] = []
    var diskIsStalled = false
    private var unwritten: [LogWrite] = []
    /// Its number on every connection.
    let session: UInt64 = 1
    /// The connections on which it was presented.
    private var presented: Set<UInt64> = []
    private var sequence: UInt64 = 0
    private var nextRequest: UInt64 = 1 << 32

    init(_ change: (inout EngineSettings) -> Void = { _ in }, leads: Bool = true) throws {
        var settings = EngineSettings(cluster: "test", clientAddresses: [:])
        settings.snapshotBytes = 1 << 40
        change(&settings)
        let found = try NodeRecovery.open(
            on: SimulatedDisk(), node: NodeID(1), voters: [NodeID(1)], settings: settings,
            options: EventLogOptions(segmentBytes: 1 << 20), seed: 1, now: Moment(monotonic: 0, wall: 1_700_000_000_000))
        guard case .whole(let recovery) = found else { throw JobboardError(.unavailable, "an empty disk is damaged") }
        engine = recovery.engine
        log = recovery.log
        guard leads else { return }
        try lead()
        try turn([.connectionOpened(1)])
        presented = [1]
        try turn([request(1, Self.presentation(resumed: false))])
        let answers = takeReplies()
        try #require(answers.contains { if case .outcome(.sessionOpened) = $0.response { true } else { false } })
    }

    private static func presentation(resumed: Bool) -> Request {
        .session(local: 1, SessionToken(high: 1, low: 1), ttlMilliseconds: 3_600_000, resumed: resumed)
    }

    /// The session is presented before the first command on a connection, as clients do; nobody waits for the answer.
    private mutating func presenting(_ inputs: [EngineInput]) -> [EngineInput] {
        inputs.flatMap { input -> [EngineInput] in
            if case .connectionClosed(let connection) = input { presented.remove(connection) }
            guard case .request(let client, .write) = input, presented.insert(client.connection).inserted else { return [input] }
            let reference = ClientReference(connection: client.connection, request: 0)
            return [.request(reference, Self.presentation(resumed: true)), input]
        }
    }

    /// Time passes until it leads.
    mutating func lead() throws {
        for _ in 0..<1000 where !engine.replica.acceptsWrites { try tick() }
        try #require(engine.replica.acceptsWrites)
    }

    mutating func request(_ connection: UInt64, _ request: Request) -> EngineInput {
        nextRequest += 1
        return .request(ClientReference(connection: connection, request: nextRequest), request)
    }

    /// A command of the session that this one opened.
    mutating func write(_ command: Command, wait: UInt32 = 0, on connection: UInt64 = 1) -> EngineInput {
        sequence += 1
        let call = SessionCommand(session: session, sequence: sequence, acknowledgedBelow: 1, command: command)
        return request(connection, .write(call, Sending(term: engine.ledTerm, waitMilliseconds: wait)))
    }

    mutating func post(_ name: String = "work", board: String = "default", priority: Priority = .normal, delay: UInt64? = nil)
        -> EngineInput
    {
        var job = NewJob(id: JobID(high: 7, low: sequence + 1), name: name, details: Array("{}".utf8))
        job.priority = priority
        job.delayMilliseconds = delay
        return write(.post(board: board, jobs: [job]))
    }

    mutating func claim(
        _ name: String? = nil, board: String = "default", count: UInt32 = 1, priorities: Priorities = [], wait: UInt32 = 60_000,
        on connection: UInt64 = 1
    ) -> EngineInput {
        write(
            .claimNext(ClaimNext(board: board, who: "w", count: count, priorities: priorities, name: name)), wait: wait,
            on: connection)
    }

    mutating func tick(_ milliseconds: UInt64 = 10) throws {
        now += milliseconds
        try turn([.tick])
    }

    /// One turn, those in which the disk answers, and those for work that was deferred when `finishing`.
    mutating func turn(_ inputs: [EngineInput], finishing: Bool = true) throws {
        var inputs = presenting(inputs)
        for _ in 0..<100_000 {
            var effects: [EngineEffect] = []
            engine.step(inputs, at: Moment(monotonic: now, wall: 1_700_000_000_000 + now), into: &effects)
            inputs = []
            for effect in effects {
                switch effect {
                case .persist(let write): unwritten.append(write)
                case .reply(let client, _) where client.request == 0: break
                case .reply(let client, let response): replies.append(Reply(client: client, response: response))
                case .computeDigest(let state): digestsAsked.append(state)
                case .halt(let reason): throw JobboardError(.unavailable, "the engine halts: \(reason)")
                default: break
                }
            }
            if !diskIsStalled, let last = unwritten.last {
                try log.append(unwritten)
                unwritten = []
                inputs.append(.persisted(upTo: last.number))
            }
            if inputs.isEmpty, !finishing || !engine.hasDeferredWork { return }
        }
        throw JobboardError(.unavailable, "the engine never finishes")
    }

    mutating func takeReplies() -> [Reply] {
        defer { replies = [] }
        return replies
    }
}

extension EngineInput {
    /// Whose request this is.
    var client: ClientReference {
        guard case .request(let client, _) = self else { preconditionFailure("no request") }
        return client
    }
}

extension LoneEngine.Reply {
    var isOverloaded: Bool {
        if case .failed(let error) = response { error.code == .overloaded } else { false }
    }

    /// The jobs of a claim's answer; nil of another one.
    var claimed: [Job]? {
        if case .outcome(.claimed(let jobs)) = response { jobs } else { nil }
    }
}
