import Consensus
import EventLog
import Jobboard
import NodeEngine
import WireFormat

/// Whole nodes in one thread, over a simulated disk, network and clock.
///
/// Everything below the engine's inputs and effects is replaced; everything above, recovery included, is what ships.
/// Time, luck and order come from the seed alone. First a phase with faults; then all is healed, and the cluster has to
/// find its feet, agree, and work off what is left. At the end the clients' history goes to the linearizability checker.
package struct SimulatedCluster {
    enum Phase {
        case faulty
        /// Nothing goes wrong any more, and clients begin nothing new.
        case healing
        /// Clients work off what is left.
        case draining
    }

    /// How long the phase with faults is.
    package enum Length: Sendable, Equatable {
        case milliseconds(UInt64)
        case steps(UInt64)
    }

    let settings: EngineSettings
    let voters: [NodeID]
    let segmentBytes: UInt64
    let sessionTTL: UInt32
    package let plan: FaultPlan
    var random: SplitMix64
    var queue = EventQueue()
    var time: UInt64 = 0
    var phase = Phase.faulty
    var nodes: [SimulatedNode]
    var checker: ClusterChecker
    var freshReads = FreshReadCheck()
    package internal(set) var report: SimulationReport
    /// What struck at a moment of its own, in order; a fault's place is its number.
    package internal(set) var schedule: [ScheduledFault] = []
    /// Numbers of faults that are left out.
    package var leftOut: Set<Int> = []
    var trace = Trace()

    /// The blocks that rotted on all disks, as they were.
    var sharedRot: [Digest: [UInt8]] = [:]

    // Clients.
    var clients: [SimulatedClient]
    /// What was asked under each request number, by client.
    var calls: [[UInt64: SessionCommand]]
    /// Answers with an effect, by the request that had it.
    var outcomes: [CallKey: Outcome] = [:]
    package internal(set) var history: [Operation] = []
    /// Requests that were answered without an effect, and whose clients know it. Only looked up, never walked.
    var withoutEffect: Set<CallKey> = []
    var postedJobs: [JobID] = []
    /// Posted, or tried to be.
    var knownJobs: [JobID] = []
    var watchers: [SimulatedWatcher]
    var watchOwners: [UInt64: Int] = [:]
    var nextWatch = SimulatedCluster.firstWatch

    /// Clients that mean no good.
    var hostile: HostileClients

    // Network.
    /// Links that let nothing through, and those that let no datagram through, by `link(from, to)`.
    var cutLinks: Set<Int> = []
    var cutDatagrams: Set<Int> = []
    /// Streams that swallow what is sent and do not break, as over a filter that drops TCP alone.
    var cutStreams: Set<Int> = []
    /// By `link(from, to)`: streams that are open and deliver nothing.
    var deadStreams: [Int: DeadStream] = [:]
    /// When all wall clocks, which were ahead, were set right.
    var correctedAt: UInt64?
    /// The number of the stream from one node to another; it changes when the stream breaks.
    var streams: [Int: UInt64] = [:]
    var nextStream: UInt64 = 1
    /// When the last frame of a stream arrives: streams keep their order.
    var lastArrival: [Int: UInt64] = [:]
    /// The same of datagrams, which don't.
    var lastDatagram: [Int: UInt64] = [:]
    var oldDatagrams: [OldDatagram] = []

    /// `plan`: instead of the one that the seed draws.
    package init(seed: UInt64, nodes count: Int, plan given: FaultPlan? = nil) {
        precondition((1...15).contains(count), "a simulated cluster has 1 to 15 nodes, not \(count)")
        var random = SplitMix64(seed: seed)
        let drawn = FaultPlan(drawnFrom: &random)
        plan = given ?? drawn
        voters = (1...UInt64(count)).map { NodeID($0) }
        var settings = EngineSettings(
            cluster: "simulated", clientAddresses: Dictionary(uniqueKeysWithValues: voters.map { ($0, "\($0)") }))
        // Tiny limits, so that full blocks, evicted entries and reads from disk happen in every run.
        settings.batchCommands = 4
        settings.replica.cacheBytes = 4 << 10
        settings.replica.appendBytes = 2 << 10
        settings.rememberedEvents = random.below(2) == 0 ? 64 : 100_000
        settings.snapshotBytes = (1 << 10) << random.below(5)
        settings.limits.timersPerBlock = 4
        // Clients that die leave their sessions behind, and strangers open some; a full table refuses whoever comes next.
        settings.limits.sessions = 200
        var slices = SplitMix64(seed: seed ^ 0x534c_4943)
        settings.limits.namesAtOnce = Int(slices.below(4))
        settings.nameRecords = 1 + Int(slices.below(3))
        if plan.smallBudgets > 0 { settings.drawSmallBudgets(from: plan.smallBudgets) }
        self.settings = settings
        hostile = HostileClients(seed: plan.hostility ^ seed)
        segmentBytes = random.below(2) == 0 ? 16 << 10 : 64 << 10
        sessionTTL = random.below(4) == 0 ? 4000 : 60_000
        nodes = []
        for voter in voters {
            var node = SimulatedNode(id: voter)
            let (skew, drift) = (plan.clockSkew, plan.clockDrift)
            if skew > 0 { node.clockSkew = Int64(random.below(2 * skew)) - Int64(skew) }
            if drift > 0 { node.clockRate = 1000 - drift + random.below(2 * drift) }
            node.clockSkew += Int64(plan.clocksAhead)
            nodes.append(node)
        }
        clients = (0..<4).map { SimulatedClient(number: $0, target: $0 % count) }
        // Later luck: in every third run clients claim by name, and not with the seeds that once broke something.
        var names = SplitMix64(seed: seed ^ 0x4e41_4d82)
        if names.below(3) == 0 {
            for client in clients.indices { clients[client].nameLuck = SplitMix64(seed: names.next()) }
        }
        calls = clients.map { _ in [:] }
        watchers = [SimulatedWatcher(), SimulatedWatcher()]
        checker = ClusterChecker(limits: settings.limits)
        report = SimulationReport(seed: seed)
        self.random = random
        drawMemoryLimits(seed: seed)
        for node in nodes {
            if node.clockSkew != Int64(plan.clocksAhead) { report.sights.add(.skewedClocks) }
            if node.clockRate != 1000 { report.sights.add(.driftingClocks) }
        }
        if plan.delay > Self.slow { report.sights.add(.slowNetworks) }
        if plan.smallBudgets > 0 { report.sights.add(.smallBudgets) }
        if plan.syncTime > Self.slow { report.sights.add(.slowDisks) }
    }

    /// A pace that counts as slow, in microseconds.
    private static let slow: UInt64 = 1000

    /// Runs `milliseconds` with faults, and then heals and checks. Throws what was broken.
    package mutating func run(milliseconds: UInt64) throws -> SimulationReport {
        try run(.milliseconds(milliseconds))
    }

    /// Runs with faults, and then heals and checks. Throws what was broken.
    package mutating func run(_ length: Length) throws -> SimulationReport {
        for node in nodes.indices {
            queue.plan(.start(node: node), at: random.below(1000))
            queue.plan(.tick(node: node), at: 1000 + random.below(10_000))
        }
        for client in clients.indices { queue.plan(.clientTurn(client), at: 5000 + random.below(5000)) }
        for watcher in watchers.indices { queue.plan(.watchTurn(watcher), at: 5000 + random.below(500_000)) }
        for fault in Fault.allCases { planFault(fault) }
        if plan.clocksAhead > 0 { queue.plan(.correctClocks, at: 500_000 + 1000 * (plan.clocksAhead / 60 % 4000)) }
        if plan.hostility > 0 { queue.plan(.hostileTurn, at: 20_000) }
        switch length {
        case .milliseconds(let milliseconds): try pass(until: milliseconds * 1000)
        case .steps(let steps): while report.steps < steps { try pass(until: time) }
        }
        try heal()
        report.committedEntries = nodes[0].engine!.replica.commit
        report.posted = postedJobs.count
        for node in nodes { report.sights.add(.segmentRolls, max(0, node.segments - 1)) }
        return report
    }

    /// At least one step, and all until `end`, in microseconds.
    mutating func pass(until end: UInt64) throws {
        while let (at, happening) = queue.next() {
            time = max(time, at)
            report.steps += 1
            report.simulatedMilliseconds = time / 1000
            try take(happening)
            if time >= end { return }
        }
    }

    private mutating func take(_ happening: Happening) throws {
        switch happening {
        case .tick(let node):
            queue.plan(.tick(node: node), at: time + 10_000)
            try step(node, [.tick])
            try lookAtStreams(to: node)
            if nodes[node].lacksRoom { try lookForRoom(at: node) }
        case .deferredTurn(let node):
            nodes[node].isTurnPlanned = false
            try step(node, [])
        case .arrival(let to, let from, let bytes, let channel, let stream):
            try arrive(bytes, from: from, to: to, channel, stream)
        case .syncDone(let node, let life, let sync):
            try finishSync(node, life, sync)
        case .tellMissing(let node, let life): try tellMissing(node, life: life)
        case .repairTick(let node, let life): try tickRepair(node, life: life)
        case .combine(let node, let life, let work): try combine(work, at: node, life: life)
        case .snapshotWork(let node, let life, let work):
            try perform(work, at: node, life: life)
        case .request(let node, _, _, let bytes, let connection):
            let inputs = try requests(in: bytes, on: connection)
            guard case .request(let reference, let request) = inputs.last else { return }
            // A process that stands still finds it in its socket later.
            if time < nodes[node].pausedUntil, plan.requestsWait > 0, nodes[node].isRunning {
                return queue.plan(happening, at: nodes[node].pausedUntil)
            }
            freshReads.asked(request, reference, at: node, committed: checker.committed.count)
            try step(node, [.connectionOpened(connection)] + inputs)
        case .reply(let client, let number, let bytes):
            let (_, response) = try bytes.withUnsafeBytes { try ClientCodec.decodeResponse($0) }
            try takeReply(client, number, response)
        case .clientTurn(let client): clientTurn(client)
        case .watchTurn(let watcher): try watchTurn(watcher)
        case .watchReply(let watcher, let connection, let bytes):
            let (_, response) = try bytes.withUnsafeBytes { try ClientCodec.decodeResponse($0) }
            try takeWatchReply(watcher, connection, response)
        case .hostileTurn: try hostileTurn()
        case .disconnect(let node, let connection): try disconnect(connection, at: node)
        case .start(let node): if !nodes[node].isUp, !nodes[node].isRefused { try start(node) }
        case .roomAgain(let node): nodes[node].disk.capacity = .max
        case .endScarcity(let node): nodes[node].disk.asksUntilScarce = nil
        case .restore(let node): if nodes[node].isRefused { try restore(node) }
        case .heal(let link): cutLinks.remove(link)
        case .healDatagrams(let link): cutDatagrams.remove(link)
        case .healStream(let link): cutStreams.remove(link)
        case .correctClocks: correctClocks()
        case .fault(let fault): try take(fault)
        }
    }

    /// Folds what happened into the run's hash (FNV-1a).
    mutating func note(_ values: UInt64...) {
        for value in values { report.hash = (report.hash ^ value) &* 0x0100_0000_01b3 }
    }

    /// Keeps the last events in words from now on; nothing else changes.
    package mutating func keepTrace() { trace.turnOn() }

    /// What happened last, when it was kept.
    package var lastEvents: [String] { trace.last }
}
