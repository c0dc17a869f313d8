/// Why one seed failed, and what is needed to see it again.
package struct SimulationFailure: Sendable {
    package var seed: UInt64
    package var nodes: Int
    /// What was broken.
    package var violation: String
    /// Milliseconds of simulated time, and steps, until then.
    package var milliseconds: UInt64
    package var steps: UInt64
    package var lastEvents: [String]
    /// The faults without which the same seed does not fail; the others were left out one after another.
    package var neededFaults: [String]
    /// Of what struck at moments of its own, what is left when as much as possible is left out.
    package var schedule: [String]
    /// The operations of the clients up to then.
    package var history: [Operation]
}

/// Many runs, one after another.
package struct SimulationSweep: Sendable {
    package let nodes: Int
    package let length: SimulatedCluster.Length
    package private(set) var runs: UInt64 = 0
    package private(set) var steps: UInt64 = 0
    package private(set) var simulatedMilliseconds: UInt64 = 0
    package private(set) var acknowledged = 0
    package private(set) var checkedOperations = 0
    package private(set) var slowestLeader: UInt64 = 0
    package private(set) var slowestHealing: UInt64 = 0
    package private(set) var sights = Sights()
    /// In how many runs each was met.
    package private(set) var runsWith = Sights()
    /// Over the hashes of all runs, in order.
    package private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    package private(set) var failures: [SimulationFailure] = []

    package init(nodes: Int, length: SimulatedCluster.Length) {
        self.nodes = nodes
        self.length = length
    }

    /// Runs one seed; nil when it went well.
    package mutating func run(seed: UInt64) -> SimulationFailure? {
        var cluster = SimulatedCluster(seed: seed, nodes: nodes)
        let violation = Self.violation(of: &cluster, length)
        count(cluster.report)
        guard let violation else { return nil }
        let failure = explain(seed, violation)
        failures.append(failure)
        return failure
    }

    private mutating func count(_ report: SimulationReport) {
        runs += 1
        steps += report.steps
        simulatedMilliseconds += report.simulatedMilliseconds
        acknowledged += report.acknowledged
        checkedOperations += report.checkedOperations
        slowestLeader = max(slowestLeader, report.leaderAfter)
        slowestHealing = max(slowestHealing, report.healedAfter)
        sights.add(report.sights)
        for sight in Sight.allCases where report.sights[sight] > 0 { runsWith.add(sight) }
        hash = (hash ^ report.hash) &* 0x0100_0000_01b3
    }

    /// What no run met although a cluster of this size can.
    package var neverMet: [Sight] {
        Sight.allCases.filter { $0.canBeMet(nodes: nodes) && runsWith[$0] == 0 }
    }

    static func violation(of cluster: inout SimulatedCluster, _ length: SimulatedCluster.Length) -> String? {
        do {
            _ = try cluster.run(length)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Runs it again with a trace, with as few faults as still break something.
    private func explain(_ seed: UInt64, _ violation: String) -> SimulationFailure {
        var shrinking = Shrinking(seed: seed, nodes: nodes, length: length)
        shrinking.leaveOutKinds()
        shrinking.leaveOutSingleFaults()
        var cluster = shrinking.cluster
        cluster.keepTrace()
        let last = Self.violation(of: &cluster, length)
        let kept = cluster.schedule.indices.filter { !cluster.leftOut.contains($0) }
        return SimulationFailure(
            seed: seed, nodes: nodes,
            violation: last == violation ? violation : violation + " (with fewer faults: \(last ?? ""))",
            milliseconds: cluster.report.simulatedMilliseconds, steps: cluster.report.steps, lastEvents: cluster.lastEvents,
            neededFaults: shrinking.neededKinds, schedule: kept.map { cluster.schedule[$0].description }, history: cluster.history
        )
    }
}
