import Consensus
import EventLog
import NodeEngine
import NodeStorage
import WireFormat

/// What a node's snapshot worker has to do.
enum SnapshotWork {
    case take(AppliedState, upTo: EntrySummary)
    case open(SnapshotReference, table: [UInt8])
    case put(SnapshotReference, number: UInt32, [UInt8])
    case finish(SnapshotReference, readingState: Bool)
    case answer(to: NodeID, Transfer)
    case removeOlder(than: LogIndex)
    case scrub
}

extension SimulatedCluster {
    /// Beside the log's own work, in an order of its own.
    mutating func plan(_ work: SnapshotWork, at node: Int) {
        var duration = 1 + random.below(2 * plan.syncTime)
        if case .take = work {
            duration += random.below(20_000)
            nodes[node].snapshotUnderWay = work
        }
        queue.plan(
            .snapshotWork(node: node, life: nodes[node].life, work), at: max(time, nodes[node].stalledUntil) + duration)
    }

    mutating func perform(_ work: SnapshotWork, at node: Int, life: UInt64) throws {
        guard nodes[node].life == life, nodes[node].isRunning else { return }
        let free = max(nodes[node].pausedUntil, nodes[node].stalledUntil)
        guard time >= free else { return queue.plan(.snapshotWork(node: node, life: life, work), at: free) }
        let desk = nodes[node].desk!
        switch work {
        case .take(let state, let last):
            nodes[node].snapshotUnderWay = nil
            guard let taken = try? desk.write(state, upTo: last) else {
                return try step(node, [.snapshotTaken(nil, storedBytes: 0)])
            }
            if case .snapshotTaken(let snapshot?, _) = taken {
                report.sights.add(.snapshotsTaken)
                trace.note(time, "node \(nodes[node].id) took a snapshot at entry \(snapshot.index)")
                try checker.tookSnapshot(snapshot, at: nodes[node].id)
            }
            try step(node, [taken])
        case .open(let snapshot, let table): try receive(snapshot, node) { try desk.open(snapshot, table: table) }
        case .put(let snapshot, let number, let bytes):
            try receive(snapshot, node) { try desk.put(snapshot, number: number, bytes) }
        case .finish(let snapshot, let readingState):
            try receive(snapshot, node) { try desk.finish(snapshot, readingState: readingState) }
        case .scrub:
            if let rot = try? desk.scrub(maxBytes: 2048) { try found(rot, at: node) }
        case .answer(let peer, let question):
            guard let (answer, rot) = desk.answer(question) else { return }
            send(answer, from: node, to: Int(peer.rawValue) - 1)
            if let rot { try found(rot, at: node) }
        case .removeOlder(let index):
            // What can't be removed now goes with the next one.
            try? desk.removeOlder(than: index)
        }
    }

    private mutating func found(_ rot: SnapshotRot, at node: Int) throws {
        report.sights.add(.snapshotRotFound)
        try step(node, [rot.input])
    }

    private mutating func receive(_ snapshot: SnapshotReference, _ node: Int, _ work: () throws -> EngineInput) throws {
        let input = (try? work()) ?? .snapshotFailed(snapshot)
        if case .snapshotReady = input { trace.note(time, "node \(nodes[node].id) fetched the snapshot at \(snapshot.index)") }
        try step(node, [input])
    }

    /// The power fails in the middle of writing a snapshot.
    mutating func tearSnapshot(of node: Int) {
        guard case .take(let state, let last)? = nodes[node].snapshotUnderWay, random.below(2) == 0 else { return }
        nodes[node].disk.callsUntilPowerLoss = 1 + Int(random.below(12))
        _ = try? nodes[node].desk?.write(state, upTo: last)
        report.sights.add(.tornSnapshots)
    }

    mutating func release(through index: LogIndex, at node: Int) throws {
        do throws(EventLogError) {
            try nodes[node].log!.release(through: index)
        } catch {
            return try diskFailed(node, error)
        }
        let base = nodes[node].log!.base.index
        if base > 0 { report.sights.add(.compactions) }
        try step(node, [.released(base)])
        plan(.removeOlder(than: index), at: node)
    }
}
