import Consensus
import Jobboard
import NodeEngine
import NodeStorage

extension SimulatedCluster {
    /// Milliseconds from the end of all faults: by then there must be a leader whose term is open.
    package static let leaderBound: UInt64 = 5_000
    /// By then all logs must be equal.
    package static let agreementBound: UInt64 = 15_000
    /// After healing, clients finish what they began, in microseconds.
    private static let restingTime: UInt64 = 3_000_000
    private static let leaderTime = 1000 * leaderBound
    private static let healingTime = 1000 * agreementBound
    /// When all is well, somebody gets something done at least this often, in microseconds: leases and delays end by then.
    private static let workTime: UInt64 = 15_000_000

    /// All faults end; within bounded time there is a leader, the logs are equal, and everything acknowledged is there and
    /// can be worked off.
    mutating func heal() throws {
        phase = .healing
        let healedAt = time
        (cutLinks, cutDatagrams, cutStreams) = ([], [], [])
        trace.note(time, "everything is healed")
        for node in nodes.indices {
            dropLateFrames(to: node)
            nodes[node].pausedUntil = 0
            nodes[node].stalledUntil = 0
            nodes[node].healDisk()
            hurrySync(node)
            if !nodes[node].isUp { try start(node) }
        }
        try endHostility()
        // Streams that are dead stay so, until a node finds that out.
        let patience = deadStreams.isEmpty ? 0 : Self.streamSilence
        while leader == nil, time < healedAt + patience + Self.leaderTime { try pass(until: time + 10_000) }
        guard leader != nil else { throw Violation("no leader in time after everything was healed:\n\(standing)") }
        report.leaderAfter = (time - healedAt) / 1000
        while !isAgreed, time < healedAt + patience + Self.healingTime { try pass(until: time + 50_000) }
        guard isAgreed else { throw Violation("no agreement in time after everything was healed:\n\(standing)") }
        report.healedAfter = (time - healedAt) / 1000
        try pass(until: time + Self.restingTime)
        try drain()
        try settle()
        try checkSharedRot()
        try checker.checkEnd(nodes.map { $0.engine! }, posted: postedJobs)
        try checkHistory()
    }

    /// What a node that stands still was to find in its sockets much later must not hold up what is sent from now on.
    private mutating func dropLateFrames(to node: Int) {
        guard nodes[node].pausedUntil > time else { return }
        for other in nodes.indices where other != node {
            streams[link(other, node)] = nil
            lastArrival[link(other, node)] = nil
        }
    }

    /// The clients claim and consume until nothing is left. Where log time is ahead of the clocks, it still passes at nine tenths
    /// of true time.
    private mutating func drain() throws {
        phase = .draining
        let patience = Self.workTime * 10 / 9
        var doneAt = time
        var done = report.consumed
        while openJobs > 0 {
            try pass(until: time + 200_000)
            if report.consumed > done { (done, doneAt) = (report.consumed, time) }
            guard time < doneAt + patience else {
                throw Violation("nobody gets anything done any more, and \(openJobs) jobs are left:\n\(standing)")
            }
        }
    }

    private var openJobs: Int { checker.reference.state.machine.totals(state: nil) }

    /// Everything that was begun is finished, known everywhere, and heard by every watcher.
    private mutating func settle() throws {
        phase = .healing
        let deadline = time + Self.healingTime
        while !(isAgreed && watchersAreDone && lacksNothing && clients.allSatisfy { $0.goal == nil }), time < deadline {
            try pass(until: time + 50_000)
        }
        guard isAgreed else { throw Violation("no agreement at the end:\n\(standing)") }
        guard watchersAreDone else { throw Violation("a watcher has not heard everything at the end") }
        guard clients.allSatisfy({ $0.goal == nil }) else { throw Violation("a client was never answered") }
    }

    /// There is a leader, and every node has applied all of its log.
    private var isAgreed: Bool {
        guard let leader else { return false }
        return nodes.allSatisfy { $0.engine?.state.index == leader.log.lastIndex }
    }

    /// Who leads the newest term and has it open.
    private var leader: Replica? {
        let leaders = nodes.compactMap { $0.engine?.replica }.filter { $0.isLeader && $0.termIsOpen }
        return leaders.max { $0.term < $1.term }
    }

    /// How each node stands, a line each.
    private var standing: String {
        nodes.map { node in
            guard let engine = node.engine else {
                return "node \(node.id) does not run: \(node.repair?.reason ?? "down")"
            }
            let replica = engine.replica
            let role = if replica.isLeader { "leads" } else { "follows \(replica.leader.map { "\($0)" } ?? "nobody")" }
            return "node \(node.id) \(role) in term \(replica.term): last \(replica.log.lastIndex)/\(replica.log.lastTerm), "
                + "durable \(replica.durableIndex), commit \(replica.commit), applied \(engine.state.index), room \(replica.room.word)"
        }.joined(separator: "\n")
    }

    /// What a client was told that it had no effect never has one, whatever copies of it come late.
    private func checkLateCopies() throws(Violation) {
        for call in checker.reference.effects where withoutEffect.contains(call.key) {
            throw Violation(
                "request \(call.key.sequence) of session \(call.key.session) was answered without an effect, and entry "
                    + "\(call.index) of term \(call.term) carries it out")
        }
    }

    private mutating func checkHistory() throws {
        try checkLateCopies()
        var checker = LinearizabilityChecker(clockSlack: plan.clockSlack)
        let verdict = checker.check(history)
        report.checkedOperations = verdict.operations
        report.checkedJobs = verdict.jobs
        if let violation = verdict.violations.first { throw Violation("not linearizable: \(violation)") }
        if let job = verdict.undecided.first { throw Violation("too many orders to try for job \(job)") }
    }
}
