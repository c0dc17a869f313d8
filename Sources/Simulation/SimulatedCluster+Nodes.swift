import Consensus
import EventLog
import Jobboard
import NodeEngine
import NodeStorage
import WireFormat

extension SimulatedCluster {
    mutating func start(_ node: Int) throws {
        let crashes = phase == .faulty && random.below(1000) < plan.recoveryCrash
        if crashes { nodes[node].disk.callsUntilPowerLoss = 1 + Int(random.below(60)) }
        do {
            let cut = try nodes[node].start(
                voters: voters, settings: settings, options: logOptions, time: time, seed: random.next())
            if cut { report.sights.add(.tornTails) }
            guard nodes[node].isRunning else {
                nodes[node].disk.callsUntilPowerLoss = nil
                return try beginRepair(node)
            }
        } catch let violation as Violation {
            throw violation
        } catch {
            return try startFailed(node, error)
        }
        nodes[node].disk.callsUntilPowerLoss = nil
        report.sights.add(.starts)
        nodes[node].lastStored = nodes[node].moment(time).monotonic
        let replica = nodes[node].engine!.replica
        trace.note(
            time,
            "node \(nodes[node].id) starts in term \(replica.term) with \(replica.log.lastIndex) entries, commit \(replica.commit)"
        )
        note(0x51, UInt64(node), replica.log.lastIndex)
        try checker.checkCommitted(nodes[node].engine!, from: 1, nodes, &report.sights)
        // One that was durable when the process died, though nobody had been told.
        if let found = replica.snapshot { try checker.tookSnapshot(found, at: nodes[node].id) }
        try lookForRoom(at: node)
    }

    /// A start may fail when the power or the disk does, and must fail where acknowledged bytes are not what they were.
    private mutating func startFailed(_ node: Int, _ error: any Error) throws {
        let code = (error as? EventLogError)?.code
        if nodes[node].disk.callsUntilPowerLoss == 0 {
            report.sights.add(.recoveryCrashes)
            trace.note(time, "node \(nodes[node].id) loses power while it starts")
            crashDisk(node)
        } else if isFailureAskedFor(node) || (code == .noSpace && nodes[node].disk.capacity < .max) {
            trace.note(time, "node \(nodes[node].id) does not start: \(error)")
            nodes[node].disk.kill()
        } else if let error = error as? EventLogError, try isScarcity(node, error) {
            report.sights.add(.scarceStarts)
            nodes[node].disk.kill()
        } else if code == .damaged, nodes[node].disk.isRotten {
            return refuse(node)
        } else {
            throw Violation("node \(nodes[node].id) does not start: \(error)")
        }
        nodes[node].failingCall = nil
        queue.plan(.start(node: node), at: time + 1000 * random.below(500))
    }

    /// The process dies. Without power the disk may also lose or tear what was not synced.
    mutating func loseProcess(_ node: Int, withPower: Bool, tearing: Bool = false) throws {
        guard nodes[node].isUp else { return }
        if !nodes[node].ordered.isEmpty, tearing || random.below(2) == 0 {
            // In the middle of a write, or just after it.
            if withPower {
                let reach: UInt64 = plan.deepPowerLoss > 0 && random.below(2) == 0 ? 20 : 4
                nodes[node].disk.callsUntilPowerLoss = Int(random.below(reach))
            }
            try? nodes[node].log?.append(nodes[node].ordered)
            nodes[node].disk.callsUntilPowerLoss = nil
            if withPower { report.sights.add(.tornWrites) }
        }
        try end(node, withPower: withPower)
    }

    /// The process is gone, whatever was being written; it comes again after a while.
    private mutating func end(_ node: Int, withPower: Bool) throws {
        nodes[node].losesPowerInNextWrite = false
        nodes[node].truth.attempt(nodes[node].ordered)
        report.sights.add(.segmentRolls, max(0, nodes[node].segments - 1))
        if withPower { tearSnapshot(of: node) }
        nodes[node].stop()
        if withPower {
            crashDisk(node)
        } else {
            nodes[node].disk.kill()
        }
        trace.note(time, "node \(nodes[node].id) \(withPower ? "loses power" : "is killed")")
        note(withPower ? 0x52 : 0x53, UInt64(node), time)
        breakWatches(of: node)
        try breakStreams(of: node)
        queue.plan(.start(node: node), at: time + 1000 * random.below(2000))
    }

    private mutating func crashDisk(_ node: Int) {
        let loss = nodes[node].disk.crash(using: &random)
        report.sights.add(.sectorsLost, loss.sectors)
        report.sights.add(.sectorsGarbled, loss.garbledSectors)
        report.sights.add(.namesLost, loss.names)
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
        try checkStamps(effects, of: engine, at: node)
        try checkMemory(engine, after: inputs, wasLeader: before.leads, in: before.term)
        if engine.replica.isLeader, !before.leads { try checker.checkElection(of: engine.replica, nodes[node].truth) }
        if engine.replica.commit > before.commit {
            trace.note(time, "node \(nodes[node].id) commits entry \(engine.replica.commit)")
            try checker.checkCommitted(engine, from: before.commit + 1, nodes, &report.sights)
        }
        note(UInt64(node), engine.replica.term, engine.replica.commit, engine.state.machine.lastPosition, UInt64(effects.count))
        for effect in effects { try perform(effect, at: node, engine) }
        planDeferredTurn(of: node)
    }

    /// As the real loop does: what did not fit into a turn has another one, with nothing new.
    private mutating func planDeferredTurn(of node: Int) {
        guard nodes[node].isRunning, nodes[node].engine!.hasDeferredWork, !nodes[node].isTurnPlanned else { return }
        report.sights.add(.workDeferred)
        nodes[node].isTurnPlanned = true
        queue.plan(.deferredTurn(node: node), at: time + 1)
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
            try step(node, [.loaded(for: peer, entries: try load(node, from: from, maxBytes: bytes))])
        case .reply(let client, let response):
            try freshReads.answered(response, client, at: node, index: engine.state.index)
            if case .failed(let error) = response, error.code == .overloaded { report.sights.add(.requestsShed) }
            try reply(client, response)
        case .halt(let reason):
            throw Violation("node \(nodes[node].id) halts: \(reason)")
        case .transfer(let peer, let transfer):
            if case .askContentsAt = transfer { report.sights.add(.unnamedSnapshots) }
            send(transfer, from: node, to: Int(peer.rawValue) - 1)
        case .answer(let peer, let question) where question.isAboutBlock: try answerBlock(question, to: peer, at: node)
        case .answer(let peer, let question): plan(.answer(to: peer, question), at: node)
        case .repair(let block): try takeBlock(block, at: node)
        case .combine(let block, let copies):
            planCombination(
                BlockDesk.combination(of: block, copies, with: nodes[node].log!, candidates: settings.combinedCandidates),
                at: node)
        case .takeSnapshot(let state, let last):
            try checkLoadable(state, at: node)
            plan(.take(state, upTo: last), at: node)
        case .computeDigest(let state):
            try step(node, [.digestComputed(state.index, state.machine.fingerprint())])
        case .openSnapshot(let snapshot, let table): plan(.open(snapshot, table: table), at: node)
        case .storeChunk(let snapshot, let number, let bytes): plan(.put(snapshot, number: number, bytes), at: node)
        case .finishSnapshot(let snapshot, let readingState):
            plan(.finish(snapshot, readingState: readingState), at: node)
        case .release(let index): try release(through: index, at: node)
        case .notice(.installedSnapshot(let index)):
            report.sights.add(.snapshotInstalls)
            trace.note(time, "node \(nodes[node].id) goes on from the snapshot at \(index)")
        case .notice(.memoryIsShort(true, _, _)): report.sights.add(.memoryShort)
        case .notice(.snapshotMended): report.sights.add(.snapshotsMended)
        case .notice:
            break
        }
    }

    /// As the real disk thread does: what can't be read is not sent, and the node goes on.
    private mutating func load(_ node: Int, from index: LogIndex, maxBytes: Int) throws -> [Entry] {
        let last = nodes[node].engine!.replica.durableIndex
        do throws(EventLogError) {
            return index <= last ? try nodes[node].log!.read(from: index, through: last, maxBytes: maxBytes) : []
        } catch {
            if [.damaged, .missing].contains(error.code), nodes[node].disk.isRotten || nodes[node].log!.missing != nil {
                report.sights.add(.rotReadBack)
                try? nodes[node].log!.loseUnreadable(from: index, through: last)
                queue.plan(.tellMissing(node: node, life: nodes[node].life), at: time + 1)
            } else if !isFailureAskedFor(node) {
                throw Violation("node \(nodes[node].id) can't read: \(error)")
            }
            return []
        }
    }

    private mutating func startSync(_ node: Int) {
        nodes[node].isSyncing = true
        nodes[node].syncs += 1
        // What is ordered while the disk is busy waits for the next sync, as it does for real.
        nodes[node].syncing = plan.syncsOverlap > 0 ? nodes[node].ordered.count : .max
        var duration = 1 + random.below(2 * plan.syncTime)
        if random.below(1000) < plan.slowSyncs {
            report.sights.add(.slowSyncs)
            duration = random.below(1_000_000)
        }
        planSync(node, at: max(time, nodes[node].stalledUntil) + duration)
    }

    mutating func planSync(_ node: Int, at time: UInt64) {
        queue.plan(.syncDone(node: node, life: nodes[node].life, sync: nodes[node].syncs), at: time)
    }

    /// The disk hangs no more: what it is at takes its usual time from now on.
    mutating func hurrySync(_ node: Int) {
        guard nodes[node].isRunning, nodes[node].isSyncing else { return }
        nodes[node].syncs += 1
        planSync(node, at: time + 1 + random.below(2 * plan.syncTime))
    }

    mutating func finishSync(_ node: Int, _ life: UInt64, _ sync: UInt64) throws {
        guard nodes[node].life == life, nodes[node].syncs == sync, nodes[node].isRunning else { return }
        let free = max(nodes[node].pausedUntil, nodes[node].stalledUntil)
        guard time >= free else { return planSync(node, at: free) }
        if nodes[node].losesPowerInNextWrite, phase == .faulty, isWorthTearing(nodes[node].ordered) {
            return try loseProcess(node, withPower: true, tearing: true)
        }
        let writes = Array(nodes[node].ordered.prefix(nodes[node].syncing))
        let done: Int
        do throws(EventLogError) {
            done = try nodes[node].log!.appendFitting(writes)
            // As the real disk thread does when it finds nothing more to do.
            if random.below(16) == 0 { try nodes[node].log!.markDurable() }
        } catch {
            // What was ordered keeps its place.
            if try isScarcity(node, error) { return planSync(node, at: time + 50_000) }
            return try diskFailed(node, error)
        }
        let written = Array(writes[..<done])
        nodes[node].ordered.removeFirst(done)
        nodes[node].truth.apply(written)
        if done < writes.count {
            waitForRoom(node)
        } else {
            nodes[node].isSyncing = false
        }
        if let last = written.last { try step(node, [.persisted(upTo: last.number)]) }
        if nodes[node].isRunning, !nodes[node].ordered.isEmpty, !nodes[node].isSyncing { startSync(node) }
        if nodes[node].isRunning, random.below(16) == 0 {
            try scrub(node)
            plan(.scrub, at: node)
        }
        try lookForRoom(at: node)
    }

    /// A write that fits in a sector is there or not; one of several can be torn.
    private func isWorthTearing(_ writes: [LogWrite]) -> Bool {
        plan.deepPowerLoss == 0 || writes.reduce(0) { $0 + $1.entries.reduce(0) { $0 + $1.block.count } } > 512
    }

    /// A process whose disk failed ends at once: only reading it anew tells what it holds. The power may fail with it.
    mutating func diskFailed(_ node: Int, _ error: EventLogError) throws {
        if try isScarcity(node, error) { return }
        trace.note(time, "node \(nodes[node].id) can't write: \(error)")
        if !isFailureAskedFor(node), !([.disk, .missing].contains(error.code) && nodes[node].disk.isRotten) {
            // Where a truncation would have to go is read back from the disk, and may be rotten.
            throw Violation("node \(nodes[node].id) can't write: \(error)")
        }
        try end(node, withPower: phase == .faulty && random.below(4) == 0)
    }
}
