import Consensus

/// Three replicas, their disks, and the messages between them: a value, so that a search copies it at every branch.
///
/// A crash and the start after it are one move: a process that is down differs from one to which nothing happens by nothing
/// that others can see. A connection's end does not take messages with it, so more can happen here than on streams.
struct SearchWorld: Sendable {
    struct Flight: Sendable {
        var from: Int
        var to: Int
        var message: Message
    }

    /// How much of the bounds the path has used.
    struct Spent: Sendable {
        var proposals = 0
        var crashes = 0
        var losses = 0
        var repeats = 0
        var timeouts = 0
        var beats = 0
        var cuts = 0
        var reads = 0
    }

    /// What happened on the last move, or in a path: for the report alone.
    struct Sights: Sendable {
        var truncations = 0
        var confirmedReads = 0
        var lossyCrashes = 0
        var returns = 0
    }

    static let size = 3
    var bounds: SearchBounds
    var replicas: [Replica] = []
    var disks: [SearchDisk]
    /// What those have heard that stand aside after a loss.
    var losses: [SearchLoss?] = Array(repeating: nil, count: size)
    var flights: [Flight] = []
    var client = SearchClient()
    var record = SearchRecord()
    var spent = Spent()
    var sights = Sights()
    private var clocks: [UInt64]
    /// So that no two processes draw the same numbers for their questions.
    private var starts: UInt64 = 0

    init(bounds: SearchBounds) {
        precondition(bounds.terms < SearchRecord.highestTerm, "at most \(SearchRecord.highestTerm - 1) terms are remembered")
        self.bounds = bounds
        disks = Array(repeating: SearchDisk(), count: Self.size)
        clocks = Array(repeating: 0, count: Self.size)
        for node in 0..<Self.size { replicas.append(started(node)) }
    }

    static let voters = Configuration(voters: (1...UInt64(size)).map { NodeID($0) })
    private static let block: [UInt8] = [0]

    private var settings: ReplicaSettings {
        var settings = ReplicaSettings()
        // With no time between heartbeats every tick of a leader is due, and no age below an election timeout matters.
        settings.heartbeat = 0
        settings.electionTimeout = 10_000
        settings.inFlightBlocks = 2
        settings.cacheBytes = bounds.cacheBytes
        settings.timePassesWithoutClocks = false
        if bounds.appendsAreSingle { settings.appendBytes = 1 }
        return settings
    }

    /// No compression, and a digest that is good enough where nobody forges.
    private static let sealer = Sealer { draft in
        var hash = CanonicalHash()
        for value in [draft.term, draft.index, UInt64(draft.kind.rawValue), draft.parent.low] { hash.add(value) }
        if !draft.payload.isEmpty { hash.add(1) }
        let high = SearchClient.mark(hash.high, isPayload: !draft.payload.isEmpty)
        return Entry(
            kind: draft.kind, term: draft.term, index: draft.index, time: draft.time, firstCommand: draft.firstCommand,
            commandCount: draft.commandCount, parent: draft.parent, digest: Digest(high: high, low: hash.low), block: block)
    }

    /// A process that starts with what its disk holds.
    mutating func started(_ node: Int) -> Replica {
        starts += 1
        let disk = disks[node]
        return Replica(
            id: Self.voters.voters[node], configuration: Self.voters, settings: settings, sealer: Self.sealer,
            hardState: disk.hardState,
            log: ReplicaLog(summaries: disk.entries.map(\.summary), tail: Array(disk.entries.dropFirst(Int(disk.commit)))),
            commit: disk.commit, seed: starts, now: Moment(monotonic: clocks[node], wall: 0))
    }

    /// Makes a move; throws when something that must never be was.
    mutating func take(_ move: SearchMove) throws(Violation) {
        switch move {
        case .deliver(let place): try arrive(flights.remove(at: Int(place)))
        case .repeated(let place):
            spent.repeats += 1
            try arrive(flights[Int(place)])
        case .lose(let place): flights.remove(at: Int(place))
        case .complete(let node, let writes):
            let number = disks[Int(node)].complete(Int(writes), lying: bounds.diskLies)
            try step(Int(node), .persisted(upTo: number))
        case .timeOut(let node):
            spent.timeouts += 1
            // A leader sends again after one election timeout, and gives up after two; followers wait for at most two.
            clocks[Int(node)] += (replicas[Int(node)].isLeader ? 1 : 2) * settings.electionTimeout + 1
            try step(Int(node), .tick)
        case .beat(let node):
            spent.beats += 1
            clocks[Int(node)] += 1
            try step(Int(node), .tick)
        case .askAgain(let node):
            spent.beats += 1
            try step(Int(node), .tick)
        case .cut(let node, let peer):
            spent.cuts += 1
            try step(Int(node), .connectionLost(Self.voters.voters[Int(peer)]))
        case .propose(let node):
            spent.proposals += 1
            try step(Int(node), .propose(kind: .commands, payload: [], commandCount: 1))
        case .read(let node):
            spent.reads += 1
            try step(Int(node), .read(record.ask(at: Int(node))))
        case .sendCopy(let node): client.send(to: Int(node), leading: ledTerm(of: Int(node)), checked: !bounds.turnsBack)
        case .takeCopy(let place, let answer): try takeCopy(Int(place), answer)
        case .crash(let node, let surviving): try crash(Int(node), surviving: Int(surviving))
        case .forget(let node, let kept): forget(Int(node), keeping: Int(kept))
        case .hear(let node, let peer): hear(Int(node), from: Int(peer))
        case .comeBack(let node): comeBack(Int(node))
        }
    }

    private mutating func arrive(_ flight: Flight) throws(Violation) {
        // A node that stands aside hears nothing of the kind.
        guard losses[flight.to] == nil else { return }
        try step(flight.to, .message(from: Self.voters.voters[flight.from], flight.message))
    }

    private mutating func crash(_ node: Int, surviving: Int) throws(Violation) {
        spent.crashes += 1
        if surviving < disks[node].pending.count { sights.lossyCrashes += 1 }
        disks[node].crash(surviving: surviving)
        record.forgetReads(of: node)
        replicas[node] = started(node)
        client.forgetMemory(of: node)
        try committed(node)
    }

    mutating func step(_ node: Int, _ input: ReplicaInput) throws(Violation) {
        let before = (term: replicas[node].term, commit: replicas[node].commit, leads: replicas[node].isLeader)
        var outputs: [ReplicaOutput] = []
        replicas[node].step(input, at: Moment(monotonic: clocks[node], wall: 0), into: &outputs)
        replicas[node].checkInvariants()
        if replicas[node].term != before.term || replicas[node].isLeader != before.leads { client.forgetMemory(of: node) }
        guard replicas[node].term >= before.term, replicas[node].commit >= before.commit else {
            throw Violation("node \(node + 1) went back in its term or its commit index")
        }
        if replicas[node].isLeader { try checkLeader(node, isNew: !before.leads) }
        for output in outputs { try take(output, from: node) }
    }

    private mutating func take(_ output: ReplicaOutput, from node: Int) throws(Violation) {
        switch output {
        case .persist(let write):
            disks[node].order(write)
            if write.truncateFrom != nil { sights.truncations += 1 }
        case .send(let peer, let message):
            let flight = Flight(from: node, to: Int(peer.rawValue - 1), message: message)
            try checkPromise(flight)
            flights.append(flight)
        case .load(let peer, let from, _):
            try step(node, .loaded(for: peer, entries: disks[node].readable(from: from)))
        case .committed(let index):
            try committed(node)
            try step(node, .applied(index))
        case .readReady(let read, let index):
            sights.confirmedReads += 1
            try record.confirm(read, at: index)
        case .readFailed(let read): record.fail(read)
        case .leader: break
        case .fetchSnapshot, .install: preconditionFailure("a search without snapshots saw one")
        case .halt(let reason): throw Violation("node \(node + 1) halts: \(reason)")
        }
    }

    private mutating func committed(_ node: Int) throws(Violation) {
        let replica = replicas[node]
        try record.commit(
            replica.log, through: replica.commit, term: replica.term, node: node, disks: bounds.checksPromises ? disks : nil)
    }
}
