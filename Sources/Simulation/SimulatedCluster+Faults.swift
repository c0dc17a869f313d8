import Consensus

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
        case .replay: replayDatagram()
        case .pause:
            report.sights.add(.pauses)
            // Up to six election timeouts, now and then up to sixteen.
            nodes[node].pausedUntil = time + 1000 * random.below(random.below(4) == 0 ? 8000 : 3000)
            trace.note(time, "node \(nodes[node].id) stands still until \(nodes[node].pausedUntil / 1000) ms")
        case .diskStall:
            report.sights.add(.diskStalls)
            nodes[node].stalledUntil = time + 1000 * random.below(5000)
            trace.note(time, "the disk of node \(nodes[node].id) hangs until \(nodes[node].stalledUntil / 1000) ms")
        case .clientDeath: killClient()
        case .clockJump:
            report.sights.add(.clockJumps)
            nodes[node].clockSkew += Int64(random.below(10_000)) - 5000
        }
    }
}
