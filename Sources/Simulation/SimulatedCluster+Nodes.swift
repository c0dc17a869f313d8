import Consensus
import EventLog
import Jobboard
import NodeEngine
import WireFormat

extension SimulatedCluster {
    mutating func start(_ node: Int) throws {
        let crashes = phase == .faulty && random.below(1000) < plan.recoveryCrash
        if crashes { nodes[node].disk.callsUntilPowerLoss = 1 + Int(random.below(60)) }
        do {
            let cut = try nodes[node].start(
                voters: voters, settings: settings, options: EventLogOptions(segmentBytes: segmentBytes), time: time,
                seed: random.next())
            if cut { report.sights.add(.tornTails) }
        } catch let violation as Violation {
            throw violation
        } catch {
            guard crashes, nodes[node].disk.callsUntilPowerLoss != nil else {
                throw Violation("node \(nodes[node].id) does not start: \(error)")
            }
            report.sights.add(.recoveryCrashes)
            trace.note(time, "node \(nodes[node].id) loses power while it starts")
            nodes[node].disk.crash(using: &random)
            return queue.plan(.start(node: node), at: time + 1000 * random.below(500))
        }
        nodes[node].disk.callsUntilPowerLoss = nil
        report.sights.add(.starts)
        let replica = nodes[node].engine!.replica
        trace.note(
            time,
            "node \(nodes[node].id) starts in term \(replica.term) with \(replica.log.lastIndex) entries, commit \(replica.commit)"
        )
        note(0x51, UInt64(node), replica.log.lastIndex)
        try checker.checkCommitted(nodes[node].engine!, from: 1, nodes, &report.sights)
    }

    /// The process dies. Without power the disk may also lose or tear what was not synced.
    mutating func loseProcess(_ node: Int, withPower: Bool, tearing: Bool = false) throws {
        guard nodes[node].isRunning else { return }
        nodes[node].losesPowerInNextWrite = false
        nodes[node].truth.attempt(nodes[node].ordered)
        if !nodes[node].ordered.isEmpty, tearing || random.below(2) == 0 {
            // In the middle of a write, or just after it.
            if withPower { nodes[node].disk.callsUntilPowerLoss = Int(random.below(4)) }
            try? nodes[node].log?.append(nodes[node].ordered)
            nodes[node].disk.callsUntilPowerLoss = nil
            if withPower { report.sights.add(.tornWrites) }
        }
        report.sights.add(.segmentRolls, max(0, nodes[node].segments - 1))
        if withPower { tearSnapshot(of: node) }
        nodes[node].stop()
        if withPower {
            nodes[node].disk.crash(using: &random)
        } else {
            nodes[node].disk.kill()
        }
        trace.note(time, "node \(nodes[node].id) \(withPower ? "loses power" : "is killed")")
        note(withPower ? 0x52 : 0x53, UInt64(node), time)
        breakWatches(of: node)
        try breakStreams(of: node)
        queue.plan(.start(node: node), at: time + 1000 * random.below(2000))
    }

    mutating func step(_ node: Int, _ inputs: [EngineInput]) throws {
        guard nodes[node].isRunning, time >= nodes[node].pausedUntil else { return }
        var effects: [EngineEffect] = []
        let earlier = nodes[node].engine!.replica
        let before = (term: earlier.term, commit: earlier.commit, leads: earlier.isLeader)
        nodes[node].engine!.step(inputs, at: nodes[node].moment(time), into: &effects)
        let engine = nodes[node].engine!
        for effect in effects {
            if case .persist(let write) = effect { try checker.ordered(write, &report.sights) }
        }
        if engine.replica.term > before.term || engine.replica.isLeader != before.leads {
            trace.note(time, "node \(nodes[node].id) \(engine.replica.isLeader ? "leads" : "is in") term \(engine.replica.term)")
        }
        try checker.check(engine, before: before, &report.sights)
        try checkStamps(effects, of: engine)
        if engine.replica.isLeader, !before.leads { try checker.checkElection(of: engine.replica, nodes[node].truth) }
        if engine.replica.commit > before.commit {
            trace.note(time, "node \(nodes[node].id) commits entry \(engine.replica.commit)")
            try checker.checkCommitted(engine, from: before.commit + 1, nodes, &report.sights)
        }
        note(UInt64(node), engine.replica.term, engine.replica.commit, engine.state.machine.lastPosition, UInt64(effects.count))
        for effect in effects { try perform(effect, at: node, engine) }
    }

    /// `engine` is the node as it was at the end of the step: a later effect may have moved it on.
    private mutating func perform(_ effect: EngineEffect, at node: Int, _ engine: Engine) throws {
        switch effect {
        case .persist(let write):
            nodes[node].ordered.append(write)
            if !nodes[node].isSyncing { startSync(node) }
        case .send(let peer, let frame, let channel):
            try checker.sends(frame.message, to: peer, from: engine, nodes[node].truth, &report.sights)
            send(frame, from: node, to: Int(peer.rawValue) - 1, channel)
        case .load(let peer, let from, let bytes):
            report.sights.add(.loadsFromDisk)
            let last = nodes[node].engine!.replica.durableIndex
            let entries = from <= last ? try nodes[node].log!.read(from: from, through: last, maxBytes: bytes) : []
            try step(node, [.loaded(for: peer, entries: entries)])
        case .reply(let client, let response):
            try freshReads.answered(response, client, at: node, index: engine.state.index)
            try reply(client, response)
        case .halt(let reason):
            throw Violation("node \(nodes[node].id) halts: \(reason)")
        case .transfer(let peer, let transfer): send(transfer, from: node, to: Int(peer.rawValue) - 1)
        case .answer(let peer, let question): plan(.answer(to: peer, question), at: node)
        case .takeSnapshot(let state, let last): plan(.take(state, upTo: last), at: node)
        case .openSnapshot(let snapshot, let table): plan(.open(snapshot, table: table), at: node)
        case .storeChunk(let snapshot, let number, let bytes): plan(.put(snapshot, number: number, bytes), at: node)
        case .finishSnapshot(let snapshot): plan(.finish(snapshot), at: node)
        case .release(let index): try release(through: index, at: node)
        case .notice(.installedSnapshot(let index)):
            report.sights.add(.snapshotInstalls)
            trace.note(time, "node \(nodes[node].id) goes on from the snapshot at \(index)")
        case .notice:
            break
        }
    }

    private mutating func startSync(_ node: Int) {
        nodes[node].isSyncing = true
        // What is ordered while the disk is busy waits for the next sync, as it does for real.
        nodes[node].syncing = plan.syncsOverlap > 0 ? nodes[node].ordered.count : .max
        var duration = 1 + random.below(2 * plan.syncTime)
        if random.below(1000) < plan.slowSyncs { duration = random.below(1_000_000) }
        queue.plan(
            .syncDone(node: node, life: nodes[node].life), at: max(time, nodes[node].stalledUntil) + duration)
    }

    mutating func finishSync(_ node: Int, _ life: UInt64) throws {
        guard nodes[node].life == life, nodes[node].isRunning else { return }
        let free = max(nodes[node].pausedUntil, nodes[node].stalledUntil)
        guard time >= free else { return queue.plan(.syncDone(node: node, life: life), at: free) }
        if nodes[node].losesPowerInNextWrite, phase == .faulty { return try loseProcess(node, withPower: true, tearing: true) }
        let writes = Array(nodes[node].ordered.prefix(nodes[node].syncing))
        nodes[node].ordered.removeFirst(writes.count)
        nodes[node].isSyncing = false
        do {
            try nodes[node].log!.append(writes)
            // As the real disk thread does when it finds nothing more to do.
            if random.below(16) == 0 { try nodes[node].log!.markDurable() }
        } catch {
            throw Violation("node \(nodes[node].id) can't write: \(error)")
        }
        nodes[node].truth.apply(writes)
        try step(node, [.persisted(upTo: writes.last!.number)])
        if nodes[node].isRunning, !nodes[node].ordered.isEmpty, !nodes[node].isSyncing { startSync(node) }
    }
}
