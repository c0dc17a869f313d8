import Consensus
import Jobboard
import NodeEngine
import WireFormat

/// Clients that ask for as much as they can, cancel what they asked for and what they did not, leave answers unread, and go
/// away in the middle. They have luck of their own, so that a run without them is what it was.
struct HostileClients {
    struct Connection {
        var node: Int
        var number: UInt64
        /// The number of its last request; those before it are likely to be open.
        var request: UInt64 = 0
    }

    static let firstConnection: UInt64 = 1_000_000_000
    static let most = 6
    var random: SplitMix64
    var open: [Connection] = []
    var next = firstConnection

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func input(for place: Int, knownJobs: [JobID], term: UInt64) -> EngineInput {
        let connection = open[place].number
        let dice = random.below(100)
        if dice < 8 { return .connectionBlocked(connection) }
        if dice < 14 { return .connectionWritable(connection) }
        open[place].request += 1
        let reference = ClientReference(connection: connection, request: open[place].request)
        return .request(reference, request(dice, last: open[place].request, knownJobs, term))
    }

    private mutating func request(_ dice: UInt64, last: UInt64, _ knownJobs: [JobID], _ term: UInt64) -> Request {
        let missing = "missing\(random.below(5))"
        let board = random.below(2) == 0 ? SimulatedClient.board : missing
        let wait = UInt32(random.below(4000))
        if dice < 26 { return .waitForClaimable(board: board, milliseconds: wait) }
        if dice < 34 {
            let known = knownJobs.isEmpty ? nil : knownJobs[Int(random.below(UInt64(knownJobs.count)))]
            return .waitForEnd(job: known ?? JobID.random(using: &random), milliseconds: wait)
        }
        if dice < 62 {
            var want = ClaimNext(board: board, who: "stranger", count: 1 + UInt32(random.below(5)))
            want.name = [nil, "work", "other\(random.below(20))"][Int(random.below(3))]
            want.priorities = Priorities(Priority.allCases.filter { _ in random.below(3) == 0 })
            // A session of its own claims on boards without jobs, since those on others must be there for others. Under one that
            // nobody opened any claim is refused.
            let hasSession = random.below(2) == 0
            if hasSession { want.board = missing }
            let call = SessionCommand(
                session: random.below(3) + (hasSession ? 0 : 1 << 40), sequence: 1 + random.below(40), acknowledgedBelow: 1,
                command: .claimNext(want))
            return .write(call, Sending(term: term, isRepeated: last % 2 == 0, waitMilliseconds: wait))
        }
        if dice < 76 {
            return .read(.jobs(JobsQuery(board: board, states: .all, limit: 10_000)), fresh: random.below(2) == 0)
        }
        if dice < 80 { return .read(.digest, fresh: random.below(2) == 0) }
        if dice < 84 { return .watch(board: random.below(2) == 0 ? nil : board, from: random.below(2) == 0 ? 1 : nil) }
        if dice < 90 {
            return .session(
                local: random.below(3), SessionToken(high: random.below(50), low: random.below(3)), ttlMilliseconds: 60_000,
                resumed: random.below(3) == 0)
        }
        return .cancel(random.below(2) == 0 ? last - min(last, 1 + random.below(8)) : random.next())
    }
}

extension SimulatedCluster {
    mutating func hostileTurn() throws {
        guard phase == .faulty else { return }
        queue.plan(.hostileTurn, at: time + 1000 * (1 + hostile.random.below(2 * plan.hostility)))
        if hostile.open.count < HostileClients.most {
            let node = Int(hostile.random.below(UInt64(nodes.count)))
            hostile.open.append(HostileClients.Connection(node: node, number: hostile.next))
            hostile.next += 1
        }
        let place = Int(hostile.random.below(UInt64(hostile.open.count)))
        let connection = hostile.open[place]
        if hostile.random.below(20) == 0 {
            hostile.open.remove(at: place)
            return try disconnect(connection.number, at: connection.node)
        }
        // A process that was started anew does not know the connection.
        var inputs: [EngineInput] = [.connectionOpened(connection.number)]
        for _ in 0...hostile.random.below(6) {
            inputs.append(hostile.input(for: place, knownJobs: knownJobs, term: nodes[connection.node].engine?.ledTerm ?? 0))
            report.sights.add(.hostileRequests)
        }
        try step(connection.node, inputs)
    }

    /// A process that stands still finds out later that a connection is closed, and then gives back what that held.
    mutating func disconnect(_ connection: UInt64, at node: Int) throws {
        guard time >= nodes[node].pausedUntil else {
            return queue.plan(.disconnect(node: node, connection: connection), at: nodes[node].pausedUntil)
        }
        try step(node, [.connectionClosed(connection)])
    }

    /// They go away, so that the others can finish.
    mutating func endHostility() throws {
        for connection in hostile.open { try step(connection.node, [.connectionClosed(connection.number)]) }
        hostile.open = []
    }
}

extension EngineSettings {
    /// As small as lets well-behaved clients of a simulated cluster get on.
    mutating func drawSmallBudgets(from seed: UInt64) {
        var random = SplitMix64(seed: seed)
        largestCommand = 8 << 10
        waitingBytes = (4 << 10) + Int(random.below(16 << 10))
        earlyWrites = 2 + Int(random.below(10))
        claimCopies = 1 + Int(random.below(6))
        parkedRequests = 10 + Int(random.below(30))
        parkedBytes = (8 << 10) + Int(random.below(16 << 10))
        pendingReads = 12 + Int(random.below(40))
        pendingReadBytes = (8 << 10) + Int(random.below(16 << 10))
        listingsPerConnection = 1 + Int(random.below(3))
        answerBytesPerTurn = 300 + Int(random.below(8 << 10))
        scannedRecordsPerTurn = 10 + Int(random.below(200))
        parkedAnswersPerTurn = 1 + Int(random.below(8))
        digestRequests = 1 + Int(random.below(4))
        effectlessAnswers = Int(random.below(40))
    }
}
