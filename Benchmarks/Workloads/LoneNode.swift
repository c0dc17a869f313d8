import Consensus
import EventLog
import Jobboard
import NodeEngine
import NodeStorage
import WireFormat

/// A cluster of one node over a disk in memory, without sockets: all that a command goes through in a node, and each of
/// its turns is followed by the disk's answer.
struct LoneNode {
    private static let connection: UInt64 = 1

    private var engine: Engine
    private let log: EventLog
    private var now: UInt64 = 1
    private var effects: [EngineEffect] = []
    private var session: UInt64 = 0
    private var sequence: UInt64 = 0
    private var request: UInt64 = 0
    private var random = SplitMix64(seed: 3)

    /// What a folder holds, or a new node where it holds nothing.
    static func recover(from disk: SimulatedDisk) throws -> NodeRecovery {
        var settings = EngineSettings(cluster: "benchmark", clientAddresses: [:])
        // Not while it is measured.
        settings.snapshotBytes = 1 << 40
        let found = try NodeRecovery.open(
            on: disk, node: NodeID(1), voters: [NodeID(1)], settings: settings,
            options: EventLogOptions(segmentBytes: 1 << 20), seed: 1, now: Moment(monotonic: 0, wall: Samples.moment))
        guard case .whole(let recovery) = found else { preconditionFailure("nothing here is damaged") }
        return recovery
    }

    init(on disk: SimulatedDisk) throws {
        let recovery = try Self.recover(from: disk)
        engine = recovery.engine
        log = recovery.log
        try turn([.connectionOpened(Self.connection)])
        for _ in 0..<1000 where !engine.replica.acceptsWrites {
            now += 10
            try turn([.tick])
        }
        precondition(engine.replica.acceptsWrites, "a node alone elects itself")
        let presentation = Request.session(
            local: 1, SessionToken(high: 1, low: 1), ttlMilliseconds: 600_000, resumed: false)
        try turn([.request(ClientReference(connection: Self.connection, request: 0), presentation)])
        for case .reply(_, .outcome(.sessionOpened)) in effects { session = 1 }
        precondition(session > 0, "a new node opens a session")
    }

    func close() { log.close() }

    /// So many jobs are posted in one turn, claimed in the next and consumed in the one after.
    mutating func live(_ count: Int) throws {
        let ids = (0..<count).map { _ in JobID.random(using: &random) }
        for step in [Samples.post, Samples.claim, Samples.consume] {
            let below = sequence + 1
            let inputs = ids.map { id in
                sequence += 1
                return write(
                    SessionCommand(session: session, sequence: sequence, acknowledgedBelow: below, command: step(id)))
            }
            try turn(inputs)
            var done = 0
            for case .reply(_, .outcome(let outcome)) in effects {
                if case .refused(let error) = outcome { preconditionFailure("refused: \(error)") }
                done += 1
            }
            precondition(done == count, "\(done) answers to \(count) commands")
        }
    }

    /// Parks waits on other boards and claims on boards that do not exist, by many names.
    mutating func park(waits: Int, claims: Int) throws {
        for first in stride(from: 0, to: waits, by: 1000) {
            try turn(
                (first..<min(first + 1000, waits)).map { number in
                    request += 1
                    return .request(
                        ClientReference(connection: Self.connection, request: request),
                        .waitForClaimable(board: "quiet\(number % 100)", milliseconds: .max))
                })
        }
        for first in stride(from: 0, to: claims, by: 1000) {
            try turn(
                (first..<min(first + 1000, claims)).map { number in
                    request += 1
                    let want = ClaimNext(board: "missing\(number % 100)", who: "w", name: "name\(number)")
                    let call = SessionCommand(
                        session: session, sequence: 1 << 32 + UInt64(number), acknowledgedBelow: 1, command: .claimNext(want))
                    return .request(
                        ClientReference(connection: Self.connection, request: request),
                        .write(call, Sending(term: engine.replica.term, waitMilliseconds: .max)))
                })
        }
        let parked = engine.status.budgets.first { $0.name == Budget.parkedRequests.name }
        precondition(parked?.used == UInt64(waits + claims), "all of them are parked")
    }

    /// So many ticks of the clock.
    mutating func tick(_ count: Int) throws {
        for _ in 0..<count {
            now += 10
            try turn([.tick])
        }
    }

    private mutating func write(_ call: SessionCommand) -> EngineInput {
        request += 1
        return .request(
            ClientReference(connection: Self.connection, request: request), .write(call, Sending(term: engine.replica.term)))
    }

    /// One turn, and those in which the disk answers; `effects` are those of all of them.
    private mutating func turn(_ inputs: [EngineInput]) throws {
        effects.removeAll(keepingCapacity: true)
        var inputs = inputs
        var seen = 0
        while !inputs.isEmpty {
            engine.step(inputs, at: Moment(monotonic: now, wall: Samples.moment + now), into: &effects)
            inputs.removeAll(keepingCapacity: true)
            var writes: [LogWrite] = []
            for effect in effects[seen...] {
                switch effect {
                case .persist(let write): writes.append(write)
                case .halt(let reason): preconditionFailure(reason)
                default: break
                }
            }
            seen = effects.count
            guard let last = writes.last else { return }
            try log.append(writes)
            inputs.append(.persisted(upTo: last.number))
        }
    }
}
