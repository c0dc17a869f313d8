import Benchmark
import Consensus
import EventLog
import Jobboard
import WireFormat

/// What the hot path spends its time on, piece by piece. Whole clusters are measured by `jobboard bench`.
///
///     JOBBOARD_BENCHMARKS=1 swift package benchmark
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration.metrics = [.wallClock, .instructions, .mallocCountTotal, .throughput]
    Benchmark.defaultConfiguration.scalingFactor = .kilo

    let details =
        Array(#"{"source":"s3://photos/2026/11/"#.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 160) + Array(#""}"#.utf8)

    Benchmark("board: a life (post, claim, consume)") { benchmark in
        var (board, session) = openBoard()
        var sequence: UInt64 = 0
        var events: [Event] = []
        var random = SplitMix64(seed: 1)
        func apply(_ command: Command) -> Outcome {
            sequence += 1
            return board.apply(
                SessionCommand(session: session, sequence: sequence, acknowledgedBelow: sequence, command: command),
                events: &events)
        }
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            let id = JobID.random(using: &random)
            blackHole(apply(.post(board: "default", jobs: [NewJob(id: id, name: "resize", details: details)])))
            blackHole(apply(.claim(job: id, who: "worker-1", leaseMilliseconds: nil)))
            blackHole(apply(.consume(Holder(job: id, who: "worker-1"), result: nil, followUps: [])))
            events.removeAll(keepingCapacity: true)
        }
    }

    Benchmark("codec: a post, there and back") { benchmark in
        let call = SessionCommand(
            session: 7, sequence: 1000, acknowledgedBelow: 990,
            command: .post(board: "default", jobs: [NewJob(name: "resize", details: details)]))
        for _ in benchmark.scaledIterations {
            let bytes = CommandCodec.encode([call])
            blackHole(try bytes.withUnsafeBytes { try CommandCodec.decode($0, count: 1) })
        }
    }

    Benchmark("block: seal 100 posts", configuration: .init(scalingFactor: .one)) { benchmark in
        var random = SplitMix64(seed: 2)
        let calls = (0..<100 as Range<UInt64>).map { number in
            SessionCommand(
                session: 7, sequence: number, acknowledgedBelow: number,
                command: .post(
                    board: "default", jobs: [NewJob(id: .random(using: &random), name: "resize", details: details)]))
        }
        let draft = EntryDraft(
            kind: .commands, term: 1, index: 1, time: 1_700_000_000_000, firstCommand: 0, commandCount: 100, parent: .zero,
            payload: CommandCodec.encode(calls))
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(BlockCodec.seal(draft, cluster: 1)) }
    }

    Benchmark("replica: propose, acknowledge, commit") { benchmark in
        var leader = electedLeader()
        var outputs: [ReplicaOutput] = []
        var now: UInt64 = 1000
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            now += 1
            let moment = Moment(monotonic: now, wall: now)
            outputs.removeAll(keepingCapacity: true)
            leader.step(.propose(kind: .commands, payload: details, commandCount: 1), at: moment, into: &outputs)
            let index = leader.log.lastIndex
            for peer in [NodeID(2), NodeID(3)] {
                let reply = AppendReply(term: leader.term, result: .durable(index))
                leader.step(.message(from: peer, .appendReply(reply)), at: moment, into: &outputs)
            }
            for case .persist(let write) in outputs { leader.step(.persisted(upTo: write.number), at: moment, into: &outputs) }
            leader.step(.applied(leader.commit), at: moment, into: &outputs)
        }
        precondition(leader.commit == leader.log.lastIndex)
    }
}

private func openBoard() -> (BoardMachine, UInt64) {
    var board = BoardMachine()
    var events: [Event] = []
    board.beginBlock(at: Timestamp(milliseconds: 1_700_000_000_000), events: &events)
    let open = SessionCommand(
        session: 0, sequence: 0, acknowledgedBelow: 0, command: .openSession(ttlMilliseconds: 600_000))
    guard case .sessionOpened(let session) = board.apply(open, events: &events) else {
        preconditionFailure("a new board opens a session")
    }
    return (board, session)
}

/// A leader of three whose followers are played by the caller.
private func electedLeader() -> Replica {
    let voters = [NodeID(1), NodeID(2), NodeID(3)]
    var replica = Replica(
        id: voters[0], configuration: Configuration(voters: voters), sealer: Sealer { BlockCodec.seal($0, cluster: 1) }, seed: 1,
        now: Moment(monotonic: 0, wall: 0))
    var outputs: [ReplicaOutput] = []
    let moment = Moment(monotonic: 1000, wall: 1000)
    replica.step(.tick, at: moment, into: &outputs)
    let yes = PreVoteReply(term: 0, askedTerm: 1, granted: true)
    replica.step(.message(from: voters[1], .preVoteReply(yes)), at: moment, into: &outputs)
    replica.step(.persisted(upTo: 1), at: moment, into: &outputs)
    let vote = VoteReply(term: 1, granted: true, wall: 1000)
    replica.step(.message(from: voters[1], .voteReply(vote)), at: moment, into: &outputs)
    precondition(replica.isLeader)
    replica.step(.persisted(upTo: 2), at: moment, into: &outputs)
    return replica
}
