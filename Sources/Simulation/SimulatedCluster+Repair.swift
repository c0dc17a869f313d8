import Consensus
import EventLog
import NodeEngine
import NodeStorage
import WireFormat

/// Nodes that found their logs damaged and ask their peers for what is missing.
extension SimulatedCluster {
    private static let repairTick: UInt64 = 50_000

    mutating func beginRepair(_ node: Int) throws(Violation) {
        // A read that was to fail may have been taken for rot.
        guard nodes[node].hasLost || nodes[node].failingCall != nil else {
            throw Violation("node \(nodes[node].id) lost nothing, and asks for it: \(nodes[node].repair!.reason)")
        }
        report.sights.add(nodes[node].repair!.isUnexplained ? .emptyLogs : .repairs)
        trace.note(time, "node \(nodes[node].id) asks for what is missing: \(nodes[node].repair!.reason)")
        note(0x57, UInt64(node), time)
        queue.plan(.repairTick(node: node, life: nodes[node].life), at: time + 1)
    }

    mutating func tickRepair(_ node: Int, life: UInt64) throws {
        guard nodes[node].life == life, nodes[node].repair != nil else { return }
        queue.plan(.repairTick(node: node, life: life), at: time + Self.repairTick)
        guard time >= nodes[node].pausedUntil else { return }
        let now = nodes[node].moment(time).monotonic
        try advanceRepair(node) { try $0.tick(now: now, send: $1) }
    }

    mutating func repairHears(_ node: Int, _ transfer: Transfer, from peer: NodeID) throws {
        let now = nodes[node].moment(time).monotonic
        try advanceRepair(node) { try $0.receive(transfer, from: peer, now: now, send: $1) }
    }

    mutating func repairCombined(_ node: Int, _ block: MissingBlock, _ bytes: [UInt8]?) throws {
        let now = nodes[node].moment(time).monotonic
        try advanceRepair(node) { try $0.combined(block, bytes, now: now, send: $1) }
    }

    private mutating func advanceRepair(
        _ node: Int, _ work: (NodeRepair, (NodeID, Transfer) -> Void) throws -> Void
    ) throws {
        guard let repair = nodes[node].repair else { return }
        var letters: [(NodeID, Transfer)] = []
        do {
            try work(repair) { letters.append(($0, $1)) }
        } catch let error as EventLogError {
            // It may be on the disk all the same.
            if let end = repair.learning { try learned(end, repair, node) }
            return try diskFailed(node, error)
        }
        if let work = repair.takeCombination() { planCombination(work, at: node) }
        for (peer, transfer) in letters { send(transfer, from: node, to: Int(peer.rawValue) - 1) }
        guard repair.isDone else { return }
        if let end = repair.learned {
            report.sights.add(.endsLearned)
            trace.note(time, "node \(nodes[node].id) has learned from all others that its log ends with entry \(end.index)")
            try learned(end, repair, node)
        } else if repair.isBeginning {
            report.sights.add(.beginnings)
            trace.note(time, "node \(nodes[node].id) knows that the cluster begins")
            // Whatever others have committed meanwhile: this node had no part in it. It may have been a candidate of whom
            // nobody ever heard.
            let kept = nodes[node].truth.newest(of: checker.committed)
            let vote = nodes[node].truth.hardState.vote
            guard kept == 0, vote == nil || vote == nodes[node].id else {
                throw Violation("node \(nodes[node].id) begins as if it were new, and had entry \(kept) or had voted")
            }
            nodes[node].truth.learned(keeping: 0, isVoteLost: true)
            nodes[node].isBeginning = true
        } else {
            trace.note(time, "node \(nodes[node].id): \(repair.outcome)")
        }
        repair.close()
        nodes[node].repair = nil
        try start(node)
    }

    private mutating func learned(_ end: EntrySummary, _ repair: NodeRepair, _ node: Int) throws {
        let kept = nodes[node].truth.newest(of: checker.committed)
        guard end.index >= kept else {
            throw Violation("node \(nodes[node].id) takes entry \(end.index) for its last, and had \(kept), which is committed")
        }
        nodes[node].truth.learned(keeping: kept, isVoteLost: repair.isVoteLost)
    }

    /// The scrubber of a running node reads on.
    mutating func scrub(_ node: Int) throws {
        let log = nodes[node].log!
        let before = log.missing?.indexes.count ?? 0
        _ = try? log.scrub(maxBytes: 8 << 10)
        let count = log.missing?.indexes.count ?? 0
        guard count != before else { return }
        report.sights.add(.rotScrubbed)
        try step(node, [BlockDesk.missing(in: log)])
    }

    /// The node hears which blocks its disk has lost.
    mutating func tellMissing(_ node: Int, life: UInt64) throws {
        guard nodes[node].life == life, nodes[node].isRunning else { return }
        try step(node, [BlockDesk.missing(in: nodes[node].log!)])
    }

    /// As the real disk thread does: a block that turns out to be corrupt when a peer asks for it is missing from then on, and the
    /// node hears of it.
    mutating func answerBlock(_ question: Transfer, to peer: NodeID, at node: Int) throws {
        let log = nodes[node].log!
        let before = log.missing?.indexes.count ?? 0
        do throws(EventLogError) {
            guard let answer = try BlockDesk.answer(question, from: log) else { return }
            send(answer, from: node, to: Int(peer.rawValue) - 1)
        } catch {
            return try diskFailed(node, error)
        }
        guard log.missing?.indexes.count ?? 0 != before else { return }
        queue.plan(.tellMissing(node: node, life: nodes[node].life), at: time + 1)
    }

    mutating func takeBlock(_ block: [UInt8], at node: Int) throws {
        do throws(EventLogError) {
            guard try BlockDesk.take(block, into: nodes[node].log!) == .taken else { return }
        } catch {
            return try diskFailed(node, error)
        }
        report.sights.add(.blocksRepaired)
        try step(node, [BlockDesk.missing(in: nodes[node].log!)])
    }
}
