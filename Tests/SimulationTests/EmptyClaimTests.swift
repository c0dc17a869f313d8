import Consensus
import EventLog
import Jobboard
import NodeEngine
import Testing
import WireFormat

/// One node of a cluster of one, with a disk that is always done at once.
private struct LoneNode {
    private var engine: Engine
    private var time: UInt64 = 1000
    private var number: UInt64 = 0
    /// Answers that came, by the number of the request.
    private var answers: [UInt64: Outcome] = [:]
    /// Writes that are not done yet; only kept back while `isSlow`.
    private var unwritten: UInt64?
    var isSlow = false

    init() throws {
        let settings = EngineSettings(cluster: "lone", clientAddresses: [NodeID(1): "one"])
        let tag = BlockCodec.clusterTag("lone")
        engine = try Engine.recover(
            id: NodeID(1), voters: [NodeID(1)], settings: settings,
            log: RecoveredLog(hardState: HardState(term: 0, vote: nil), commit: 0, entries: []),
            sealer: Sealer { BlockCodec.seal($0, cluster: tag) }, opener: Opener { try? BlockCodec.payload(of: $0) }, seed: 1,
            now: Moment(monotonic: 0, wall: 0)
        ) { _, _ in [] }
        step([.connectionOpened(1), .connectionOpened(2)])
        pass(milliseconds: 2000)
    }

    private var sessions: UInt64 = 0

    private mutating func step(_ inputs: [EngineInput]) {
        var inputs = inputs
        while !inputs.isEmpty {
            var effects: [EngineEffect] = []
            engine.step(inputs, at: Moment(monotonic: time, wall: 1_700_000_000_000 + time), into: &effects)
            inputs = []
            for effect in effects {
                switch effect {
                case .persist(let write): unwritten = write.number
                case .reply(let client, .outcome(let outcome)): answers[client.request] = outcome
                default: break
                }
            }
            if !isSlow, let done = unwritten {
                unwritten = nil
                inputs = [.persisted(upTo: done)]
            }
        }
    }

    mutating func pass(milliseconds: UInt64) {
        for _ in 0..<milliseconds / 10 {
            time += 10
            step([.tick])
        }
    }

    /// The number of the request.
    @discardableResult mutating func ask(_ call: SessionCommand, wait: UInt32 = 0, on connection: UInt64 = 1) -> UInt64 {
        number += 1
        step([
            .request(ClientReference(connection: connection, request: 0), presentation(call.session, resumed: true)),
            .request(
                ClientReference(connection: connection, request: number),
                .write(call, Sending(term: engine.ledTerm, waitMilliseconds: wait))),
        ])
        return number
    }

    mutating func finishWrites() {
        isSlow = false
        step([.tick])
    }

    func answer(_ number: UInt64) -> Outcome? { answers[number] }

    /// What is answered within two ticks; nil when it has to wait for longer.
    mutating func answered(_ call: SessionCommand, wait: UInt32 = 0, on connection: UInt64 = 1) -> Outcome? {
        let number = ask(call, wait: wait, on: connection)
        pass(milliseconds: 20)
        return answer(number)
    }

    /// Its number on every connection.
    mutating func session() throws -> UInt64 {
        number += 1
        sessions += 1
        step([.request(ClientReference(connection: 1, request: number), presentation(sessions, resumed: false))])
        guard case .sessionOpened? = answers[number] else { throw JobboardError(.internal, "no session was opened") }
        return sessions
    }

    private func presentation(_ session: UInt64, resumed: Bool) -> Request {
        .session(local: session, SessionToken(high: 7, low: session), ttlMilliseconds: 60_000, resumed: resumed)
    }
}

private func jobs(_ outcome: Outcome?) -> Int? {
    if case .claimed(let jobs) = outcome { jobs.count } else { nil }
}

/// A claim of the next job that got nothing leaves no trace in the log; a copy of it that comes late must get nothing too.
@Suite struct EmptyClaimTests {
    private static func claim(_ session: UInt64, _ sequence: UInt64, below: UInt64? = nil) -> SessionCommand {
        SessionCommand(
            session: session, sequence: sequence, acknowledgedBelow: below ?? sequence,
            command: .claimNext(ClaimNext(board: "default", who: "ada", count: 1, leaseMilliseconds: 5000)))
    }

    private static func post(_ session: UInt64, _ sequence: UInt64) -> SessionCommand {
        let job = NewJob(id: JobID(high: 0x4000, low: sequence), name: "work", details: Array("{}".utf8))
        return SessionCommand(
            session: session, sequence: sequence, acknowledgedBelow: sequence, command: .post(board: "default", jobs: [job]))
    }

    @Test func aCopyThatComesLateGetsNothingAsTheFirstDid() throws {
        var node = try LoneNode()
        let (worker, poster) = (try node.session(), try node.session())
        #expect(jobs(node.answered(Self.claim(worker, 1))) == 0)
        node.ask(Self.post(poster, 1))
        #expect(jobs(node.answered(Self.claim(worker, 1), on: 2)) == 0, "the copy claimed for nobody")
        // The client goes on; what it has acknowledged is not answered any more, though the log knows nothing of it.
        #expect(jobs(node.answered(Self.claim(worker, 2))) == 1)
        guard case .refused(let error)? = node.answered(Self.claim(worker, 1, below: 1), on: 2) else {
            Issue.record("a copy of an acknowledged claim was not refused")
            return
        }
        #expect(error.outcome == .unknown)
    }

    @Test func aCopyThatWaitedLongerGetsNothingAsTheFirstDid() throws {
        var node = try LoneNode()
        let (worker, poster) = (try node.session(), try node.session())
        let first = node.ask(Self.claim(worker, 1), wait: 100)
        let copy = node.ask(Self.claim(worker, 1), wait: 5000, on: 2)
        node.pass(milliseconds: 200)
        #expect(jobs(node.answer(first)) == 0 && node.answer(copy) == nil)
        node.ask(Self.post(poster, 1))
        node.pass(milliseconds: 200)
        #expect(jobs(node.answer(copy)) == 0)
        #expect(jobs(node.answered(Self.claim(worker, 2))) == 1, "the job is still there")
    }

    @Test func aCopyOfAClaimUnderWayGetsWhatTheFirstGets() throws {
        var node = try LoneNode()
        let (worker, poster) = (try node.session(), try node.session())
        node.ask(Self.post(poster, 1))
        node.isSlow = true
        let first = node.ask(Self.claim(worker, 1))
        // The first one will take the only job: a copy that looks for itself would find nothing.
        let copies = [node.ask(Self.claim(worker, 1), on: 2), node.ask(Self.claim(worker, 1), wait: 50, on: 2)]
        node.pass(milliseconds: 100)
        #expect(node.answer(first) == nil && copies.allSatisfy { node.answer($0) == nil })
        node.finishWrites()
        #expect(jobs(node.answer(first)) == 1)
        for copy in copies { #expect(node.answer(copy) == node.answer(first)) }
    }

    @Test func aCopyThatWaitedWhileTheFirstWasServedGetsTheSame() throws {
        var node = try LoneNode()
        let (worker, poster) = (try node.session(), try node.session())
        let first = node.ask(Self.claim(worker, 1), wait: 5000)
        let copy = node.ask(Self.claim(worker, 1), wait: 300, on: 2)
        node.ask(Self.post(poster, 1))
        node.pass(milliseconds: 500)
        #expect(jobs(node.answer(first)) == 1 && node.answer(copy) == node.answer(first))
        // One that comes when all is over is not parked, but told at once.
        #expect(node.answered(Self.claim(worker, 1), wait: 5000) == node.answer(first))
    }
}
