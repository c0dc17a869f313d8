import Consensus

/// A fault that struck.
package struct ScheduledFault: Sendable, Equatable, CustomStringConvertible {
    var fault: Fault
    /// In microseconds.
    var time: UInt64
    /// Of the node that it strikes, if it strikes one.
    var node: NodeID

    package var description: String { "\(time / 1000) ms: \(fault.rawValue)\(fault.strikesNode ? " of node \(node)" : "")" }
}

extension SimulatedCluster {
    mutating func planFault(_ fault: Fault) {
        let mean = fault.mean(in: plan)
        guard mean > 0, phase == .faulty else { return }
        queue.plan(.fault(fault), at: time + 1000 * (1 + random.below(2 * mean)))
    }

    mutating func take(_ fault: Fault) throws {
        guard phase == .faulty else { return }
        planFault(fault)
        let node = Int(random.below(UInt64(nodes.count)))
        schedule.append(ScheduledFault(fault: fault, time: time, node: nodes[node].id))
        guard !leftOut.contains(schedule.count - 1) else { return }
        switch fault {
        case .powerLoss:
            report.sights.add(.powerLosses)
            if random.below(2) == 0 {
                nodes[node].losesPowerInNextWrite = true
            } else {
                try loseProcess(node, withPower: true)
            }
        case .blackout:
            report.sights.add(.blackouts)
            for node in nodes.indices { try loseProcess(node, withPower: true) }
        case .kill:
            report.sights.add(.kills)
            try loseProcess(node, withPower: false)
        case .cut: cut()
        case .datagramCut: cutSomeDatagrams()
        case .streamCut: cutSomeStreams()
        case .deadStream: killStream()
        case .replay: replayDatagram()
        case .pause:
            report.sights.add(.pauses)
            // Up to six election timeouts, now and then up to sixteen.
            // Stopping it again wakes nobody up sooner.
            let until = time + 1000 * random.below(random.below(4) == 0 ? 8000 : 3000)
            nodes[node].pausedUntil = max(nodes[node].pausedUntil, until)
            trace.note(time, "node \(nodes[node].id) stands still until \(nodes[node].pausedUntil / 1000) ms")
        case .diskStall:
            report.sights.add(.diskStalls)
            nodes[node].stalledUntil = time + 1000 * random.below(5000)
            trace.note(time, "the disk of node \(nodes[node].id) hangs until \(nodes[node].stalledUntil / 1000) ms")
        case .diskError: breakDisk(of: node)
        case .fullDisk: fillDisk(of: node)
        case .scarcity: makeScarce(node)
        case .rot: rot(node)
        case .sharedRot: rotEverywhere()
        case .emptying: try empty(node)
        case .clientDeath: killClient()
        case .clockJump:
            report.sights.add(.clockJumps)
            nodes[node].clockSkew += Int64(random.below(10_000)) - 5000
        }
    }

    /// Log time is then ahead of all clocks, and must go on all the same.
    mutating func correctClocks() {
        report.sights.add(.correctedClocks)
        correctedAt = time
        for node in nodes.indices { nodes[node].clockSkew -= Int64(plan.clocksAhead) }
        trace.note(time, "all wall clocks are set back by \(plan.clocksAhead) ms")
    }
}
