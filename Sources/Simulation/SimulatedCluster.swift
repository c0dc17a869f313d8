import Consensus
import EventLog
import Jobboard
import NodeEngine
import WireFormat

/// What a run came to.
package struct SimulationReport: Sendable, Equatable {
    package var seed: UInt64
    package var steps: UInt64 = 0
    /// Milliseconds of simulated time.
    package var simulatedMilliseconds: UInt64 = 0
    package var elections = 0
    package var acknowledged = 0
    package var posted = 0
    package var consumed = 0
    package var powerLosses = 0
    package var kills = 0
    package var cuts = 0
    package var pauses = 0
    package var tornTails = 0
    package var committedEntries: UInt64 = 0
    /// Over everything that the nodes did, in order: equal seeds give equal hashes.
    package var hash: UInt64 = 0xcbf2_9ce4_8422_2325
}

/// Whole nodes in one thread, over a simulated disk, network and clock.
///
/// Everything below the engine's inputs and effects is replaced; everything above, recovery included, is what ships.
/// Time, luck and order come from the seed alone. First a phase with faults; then all is healed, and the cluster has to
/// find its feet and agree.
package struct SimulatedCluster {
    let settings: EngineSettings
    let voters: [NodeID]
    let plan: FaultPlan
    var random: SplitMix64
    var queue = EventQueue()
    var time: UInt64 = 0
    var nodes: [SimulatedNode]
    var clients: [SimulatedClient]
    var checker = ClusterChecker()
    var report: SimulationReport
    var postedJobs: [JobID] = []
    var isHealing = false
    /// Links that let nothing through, by from * 16 + to.
    var cutLinks: Set<Int> = []
    /// The number of the stream from one node to another; it changes when the stream breaks.
    var streams: [Int: UInt64] = [:]
    var nextStream: UInt64 = 1
    /// When the last frame of a stream arrives: streams keep their order.
    var lastArrival: [Int: UInt64] = [:]

    static let segmentBytes: UInt64 = 64 << 10
    /// After healing, clients finish what they began, and leases run out, in microseconds.
    private static let restingTime: UInt64 = 5_000_000
    /// After healing, there must be agreement within this.
    private static let healingTime: UInt64 = 15_000_000

    package init(seed: UInt64, nodes count: Int) {
        var random = SplitMix64(seed: seed)
        plan = FaultPlan(drawnFrom: &random)
        voters = (1...UInt64(count)).map { NodeID($0) }
        var settings = EngineSettings(
            cluster: "simulated", clientAddresses: Dictionary(uniqueKeysWithValues: voters.map { ($0, "\($0)") }))
        // Tiny limits, so that full blocks, evicted entries and reads from disk happen in every run.
        settings.batchCommands = 4
        settings.replica.cacheBytes = 4 << 10
        settings.replica.appendBytes = 2 << 10
        settings.rememberedEvents = 64
        self.settings = settings
        let skew = plan.clockSkew
        nodes = []
        for voter in voters {
            let offset = skew == 0 ? 0 : Int64(random.below(2 * skew)) - Int64(skew)
            nodes.append(SimulatedNode(id: voter, clockSkew: offset))
        }
        clients = (0..<4).map { SimulatedClient(name: "client-\($0)", target: $0 % count) }
        report = SimulationReport(seed: seed)
        self.random = random
    }

    /// Runs `milliseconds` with faults, and then heals and checks. Throws what was broken.
    package mutating func run(milliseconds: UInt64) throws -> SimulationReport {
        for node in nodes.indices {
            queue.plan(.start(node: node), at: random.below(1000))
            queue.plan(.tick(node: node), at: 1000 + random.below(10_000))
        }
        for client in clients.indices { queue.plan(.clientTurn(client), at: 5000 + random.below(5000)) }
        planFault(.powerLoss, every: plan.powerLossEvery)
        planFault(.kill, every: plan.killEvery)
        planFault(.cut, every: plan.cutEvery)
        planFault(.pause, every: plan.pauseEvery)
        try pass(until: milliseconds * 1000)
        try heal()
        report.simulatedMilliseconds = time / 1000
        report.elections = checker.elections
        report.committedEntries = nodes[0].engine!.replica.commit
        report.posted = postedJobs.count
        return report
    }

    private mutating func pass(until end: UInt64) throws {
        while let (at, happening) = queue.next() {
            time = max(time, at)
            try take(happening)
            report.steps += 1
            if time >= end { return }
        }
    }

    /// All faults end; within bounded time there is a leader, the logs are equal, and everything acknowledged is there.
    private mutating func heal() throws {
        isHealing = true
        cutLinks = []
        for node in nodes.indices {
            nodes[node].pausedUntil = 0
            if !nodes[node].isRunning { try start(node) }
        }
        let deadline = time + Self.healingTime
        try pass(until: time + Self.restingTime)
        while !isAgreed, time < deadline { try pass(until: time + 100_000) }
        guard isAgreed else {
            throw Violation(description: "no agreement in time after everything was healed:\n\(standing)")
        }
        try checker.checkEnd(nodes.map { $0.engine! }, posted: postedJobs)
    }

    /// There is a leader, and every node has applied all of its log.
    private var isAgreed: Bool {
        guard let leader = nodes.first(where: { $0.engine!.replica.isLeader })?.engine?.replica else { return false }
        return leader.termIsOpen && nodes.allSatisfy { $0.engine!.state.index == leader.log.lastIndex }
    }

    /// How each node stands, a line each.
    private var standing: String {
        nodes.map { node in
            let replica = node.engine!.replica
            let role = if replica.isLeader { "leads" } else { "follows \(replica.leader.map { "\($0)" } ?? "nobody")" }
            return "node \(node.id) \(role) in term \(replica.term): last \(replica.log.lastIndex)/\(replica.log.lastTerm), "
                + "durable \(replica.durableIndex), commit \(replica.commit), applied \(node.engine!.state.index)"
        }.joined(separator: "\n")
    }

    private mutating func planFault(_ happening: Happening, every mean: UInt64) {
        guard mean > 0, !isHealing else { return }
        queue.plan(happening, at: time + 1000 * (1 + random.below(2 * mean)))
    }

    private mutating func take(_ happening: Happening) throws {
        switch happening {
        case .tick(let node):
            queue.plan(.tick(node: node), at: time + 10_000)
            try step(node, [.tick])
        case .arrival(let to, let from, let bytes, let channel, let stream):
            try arrive(bytes, from: from, to: to, channel, stream)
        case .syncDone(let node, let life):
            try finishSync(node, life)
        case .request(let node, let client, let number, let bytes, let connection):
            let (_, request) = try bytes.withUnsafeBytes { try ClientCodec.decodeRequest($0) }
            let reference = ClientReference(connection: connection, request: number)
            try step(node, [.connectionOpened(connection), .request(reference, request)])
            _ = client
        case .reply(let client, let number, let bytes):
            let (_, response) = try bytes.withUnsafeBytes { try ClientCodec.decodeResponse($0) }
            try takeReply(client, number, response)
        case .clientTurn(let client):
            clientTurn(client)
        case .start(let node):
            if !nodes[node].isRunning { try start(node) }
        case .powerLoss, .kill, .cut, .pause, .heal:
            try takeFault(happening)
        }
    }

    private mutating func takeFault(_ happening: Happening) throws {
        let node = Int(random.below(UInt64(nodes.count)))
        switch happening {
        case .heal(let from, let to):
            cutLinks.remove(from * 16 + to)
            return
        case _ where isHealing:
            return
        case .powerLoss:
            planFault(.powerLoss, every: plan.powerLossEvery)
            loseProcess(node, withPower: true)
        case .kill:
            planFault(.kill, every: plan.killEvery)
            loseProcess(node, withPower: false)
        case .cut:
            planFault(.cut, every: plan.cutEvery)
            cut(node)
        case .pause:
            planFault(.pause, every: plan.pauseEvery)
            nodes[node].pausedUntil = time + 1000 * random.below(3000)
            report.pauses += 1
        case .tick, .arrival, .syncDone, .reply, .request, .clientTurn, .start:
            preconditionFailure("not a fault")
        }
    }

    /// Cuts one link one way, or a node off altogether, for a while.
    private mutating func cut(_ node: Int) {
        report.cuts += 1
        let end = time + 1000 * (1 + random.below(3000))
        let whole = random.below(2) == 0
        for other in nodes.indices where other != node {
            guard whole || random.below(2) == 0 else { continue }
            cutLinks.insert(node * 16 + other)
            queue.plan(.heal(node, other), at: end)
            if whole {
                cutLinks.insert(other * 16 + node)
                queue.plan(.heal(other, node), at: end)
            }
        }
    }

    // MARK: Nodes

    private mutating func start(_ node: Int) throws {
        do {
            try nodes[node].start(
                voters: voters, settings: settings, options: EventLogOptions(segmentBytes: Self.segmentBytes), time: time,
                seed: random.next())
        } catch {
            throw Violation(description: "node \(nodes[node].id) does not start: \(error)")
        }
        note(0x51, UInt64(node), nodes[node].engine!.replica.log.lastIndex)
        try checker.checkCommitted(nodes[node].engine!, from: 1)
    }

    /// The process dies. Without power the disk may also lose or tear what was not synced.
    private mutating func loseProcess(_ node: Int, withPower: Bool) {
        guard nodes[node].isRunning else { return }
        if withPower, !nodes[node].ordered.isEmpty, random.below(2) == 0 {
            // In the middle of a write.
            nodes[node].disk.callsUntilPowerLoss = Int(random.below(3))
            try? nodes[node].log?.append(nodes[node].ordered)
            nodes[node].disk.callsUntilPowerLoss = nil
            report.tornTails += 1
        }
        nodes[node].stop()
        if withPower {
            nodes[node].disk.crash(using: &random)
            report.powerLosses += 1
        } else {
            nodes[node].disk.kill()
            report.kills += 1
        }
        note(withPower ? 0x52 : 0x53, UInt64(node), time)
        breakStreams(of: node)
        queue.plan(.start(node: node), at: time + 1000 * random.below(2000))
    }

    /// The peers of a dead process see their connections close.
    private mutating func breakStreams(of node: Int) {
        for other in nodes.indices where other != node {
            streams[node * 16 + other] = nil
            streams[other * 16 + node] = nil
        }
        for other in nodes.indices where other != node {
            try? step(other, [.peerStreamLost(nodes[node].id)])
        }
    }

    mutating func step(_ node: Int, _ inputs: [EngineInput]) throws {
        guard nodes[node].isRunning, time >= nodes[node].pausedUntil else { return }
        var effects: [EngineEffect] = []
        let before = nodes[node].engine!.replica.commit
        nodes[node].engine!.step(inputs, at: nodes[node].moment(time), into: &effects)
        let engine = nodes[node].engine!
        try checker.check(engine)
        if engine.replica.commit > before { try checker.checkCommitted(engine, from: before + 1) }
        note(UInt64(node), engine.replica.term, engine.replica.commit, engine.state.machine.lastPosition, UInt64(effects.count))
        for effect in effects { try perform(effect, at: node) }
    }

    private mutating func perform(_ effect: EngineEffect, at node: Int) throws {
        switch effect {
        case .persist(let write):
            nodes[node].ordered.append(write)
            if !nodes[node].isSyncing { startSync(node) }
        case .send(let peer, let frame, let channel):
            send(frame, from: node, to: Int(peer.rawValue) - 1, channel)
        case .load(let peer, let from, let bytes):
            let last = nodes[node].engine!.replica.durableIndex
            let entries = from <= last ? try nodes[node].log!.read(from: from, through: last, maxBytes: bytes) : []
            try step(node, [.loaded(for: peer, entries: entries)])
        case .reply(let client, let response):
            reply(client, response)
        case .halt(let reason):
            throw Violation(description: "node \(nodes[node].id) halts: \(reason)")
        case .notice:
            break
        }
    }

    private mutating func startSync(_ node: Int) {
        nodes[node].isSyncing = true
        var duration = 1 + random.below(2 * plan.syncTime)
        if random.below(1000) < plan.slowSyncs { duration = random.below(1_000_000) }
        queue.plan(.syncDone(node: node, life: nodes[node].life), at: time + duration)
    }

    private mutating func finishSync(_ node: Int, _ life: UInt64) throws {
        guard nodes[node].life == life, nodes[node].isRunning else { return }
        guard time >= nodes[node].pausedUntil else {
            return queue.plan(.syncDone(node: node, life: life), at: nodes[node].pausedUntil)
        }
        let writes = nodes[node].ordered
        nodes[node].ordered = []
        nodes[node].isSyncing = false
        do {
            try nodes[node].log!.append(writes)
        } catch {
            throw Violation(description: "node \(nodes[node].id) can't write: \(error)")
        }
        try step(node, [.persisted(upTo: writes.last!.number)])
        if !nodes[node].ordered.isEmpty, !nodes[node].isSyncing { startSync(node) }
    }

    // MARK: Hash

    /// Folds what happened into the run's hash (FNV-1a).
    mutating func note(_ values: UInt64...) {
        for value in values { report.hash = (report.hash ^ value) &* 0x0100_0000_01b3 }
    }
}
