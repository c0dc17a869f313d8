@testable import Consensus

/// A few replicas on a stage: every message and every write waits until the script lets it through.
struct Stage {
    struct Letter {
        var from: NodeID
        var to: NodeID
        var message: Message
    }

    /// What a node has on disk, and what it has ordered.
    struct Shelf {
        var hardState = HardState(term: 0, vote: nil)
        /// What a snapshot holds, and the log does not.
        var base = EntrySummary.beforeFirst
        var entries: [Entry] = []
        var ordered: [LogWrite] = []
    }

    private(set) var nodes: [NodeID: Replica] = [:]
    private(set) var shelves: [NodeID: Shelf] = [:]
    private(set) var letters: [Letter] = []
    private(set) var cut: Set<NodeID> = []
    private(set) var halted: [String] = []
    /// Snapshots that are being fetched.
    private var wanted: [NodeID: SnapshotReference] = [:]
    private var clocks: [NodeID: UInt64] = [:]
    private var voters: [NodeID] = []
    var script = Script()

    mutating func build(_ count: Int) {
        voters = (1...UInt64(count)).map { NodeID($0) }
        for id in voters {
            shelves[id] = Shelf()
            clocks[id] = 0
            start(id)
        }
    }

    mutating func start(_ id: NodeID) {
        let shelf = shelves[id]!
        var settings = ReplicaSettings()
        settings.appendBytes = 1  // one entry an append, so that a script can part them
        nodes[id] = Replica(
            id: id, configuration: Configuration(voters: voters), settings: settings, sealer: .toy, hardState: shelf.hardState,
            log: ReplicaLog(base: shelf.base, summaries: shelf.entries.map(\.summary), tail: shelf.entries),
            commit: shelf.base.index, snapshot: shelf.base.index > 0 ? .toy(shelf.base) : nil, seed: id.rawValue,
            now: Moment(monotonic: clocks[id]!, wall: 1000 + clocks[id]!))
    }

    /// The node is gone with everything it had not made durable, and with the messages on their way to and from it.
    mutating func crash(_ id: NodeID) {
        nodes[id] = nil
        shelves[id]!.ordered = []
        letters.removeAll { $0.from == id || $0.to == id }
    }

    mutating func setCut(_ id: NodeID, _ isCut: Bool) {
        if isCut { cut.insert(id) } else { cut.remove(id) }
    }

    mutating func step(_ id: NodeID, _ input: ReplicaInput) {
        guard var replica = nodes[id] else { return }
        var outputs: [ReplicaOutput] = []
        replica.step(input, at: Moment(monotonic: clocks[id]!, wall: 1000 + clocks[id]!), into: &outputs)
        replica.checkInvariants()
        nodes[id] = replica
        for output in outputs { take(output, from: id) }
    }

    private mutating func take(_ output: ReplicaOutput, from id: NodeID) {
        script.note(output, by: id)
        switch output {
        case .persist(let write): shelves[id]!.ordered.append(write)
        case .send(let to, let message): letters.append(Letter(from: id, to: to, message: message))
        case .halt(let reason): halted.append(reason)
        case .committed(let index): step(id, .applied(index))
        case .load(let peer, let from, _):
            let entries = shelves[id]!.entries.filter { $0.index >= from }
            step(id, .loaded(for: peer, entries: entries))
        case .fetchSnapshot(let snapshot, _): wanted[id] = snapshot
        case .readReady, .readFailed, .leader, .install: break
        }
    }

    mutating func elapse(_ milliseconds: UInt64, only: NodeID? = nil) {
        for id in voters where only == nil || only == id {
            clocks[id]! += milliseconds
            step(id, .tick)
        }
    }

    /// Takes a snapshot of all that is applied, and forgets the entries that it holds.
    mutating func compact(_ id: NodeID) {
        let last = nodes[id]!.log.summary(at: nodes[id]!.applied)!
        step(id, .snapshotTaken(.toy(last)))
        step(id, .released(last.index))
        shelves[id]!.entries.removeAll { $0.index <= last.index }
        shelves[id]!.base = last
    }

    /// The snapshot that the node asked for is there, whole.
    mutating func fetch(_ id: NodeID) {
        guard let snapshot = wanted.removeValue(forKey: id) else { return script.add("\(id) wants no snapshot") }
        step(id, .snapshotFetched(snapshot))
    }

    /// Lets exactly so much time pass at one node that it asks for an election.
    mutating func timeOut(_ id: NodeID) {
        clocks[id] = max(clocks[id]!, nodes[id]!.electionDeadline)
        step(id, .tick)
    }

    mutating func sync(_ id: NodeID) {
        guard let last = shelves[id]?.ordered.last else { return }
        for write in shelves[id]!.ordered {
            if let state = write.hardState { shelves[id]!.hardState = state }
            if let from = write.truncateFrom { shelves[id]!.entries.removeAll { $0.index >= from } }
            if let base = write.reset { (shelves[id]!.base, shelves[id]!.entries) = (base, []) }
            shelves[id]!.entries += write.entries
        }
        shelves[id]!.ordered = []
        step(id, .persisted(upTo: last.number))
    }

    /// Delivers the letters that are waiting now, and not those written in answer.
    mutating func deliver(where wanted: (Letter) -> Bool) {
        let chosen = letters.filter(wanted)
        letters.removeAll(where: wanted)
        for letter in chosen where !cut.contains(letter.from) && !cut.contains(letter.to) {
            step(letter.to, .message(from: letter.from, letter.message))
        }
    }

    mutating func drop(where wanted: (Letter) -> Bool) {
        letters.removeAll(where: wanted)
    }

    /// Disks and network do their work until nothing is left to do.
    mutating func run() {
        for _ in 0..<1000 {
            let busy = voters.filter { nodes[$0] != nil && !shelves[$0]!.ordered.isEmpty }
            if busy.isEmpty && letters.isEmpty { return }
            for id in busy { sync(id) }
            deliver { _ in true }
        }
        preconditionFailure("the cluster never came to rest")
    }
}

extension SnapshotReference {
    static func toy(_ last: EntrySummary) -> SnapshotReference {
        SnapshotReference(last: last, digest: Digest(high: 9, low: last.digest.low))
    }
}

extension Sealer {
    /// No compression, and a digest that is good enough for tests.
    static let toy = Sealer { draft in
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for value in [draft.term, draft.index, draft.parent.low, draft.time, UInt64(draft.kind.rawValue)]
            + draft.payload.map(UInt64.init)
        {
            hash = (hash ^ value) &* 0x0100_0000_01b3
        }
        return Entry(
            kind: draft.kind, term: draft.term, index: draft.index, time: draft.time, firstCommand: draft.firstCommand,
            commandCount: draft.commandCount, parent: draft.parent, digest: Digest(high: 7, low: hash),
            block: [draft.kind.rawValue] + draft.payload)
    }
}
