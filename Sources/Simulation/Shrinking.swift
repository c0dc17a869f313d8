/// Finds a world with fewer faults that breaks something all the same.
///
/// To leave one out changes the luck of all that follows, so each try is a whole run, and what breaks then may be
/// something else; that is as good to look at.
struct Shrinking {
    /// Runs that may be spent on single faults.
    private static let effort = 80

    let seed: UInt64
    let nodes: Int
    let length: SimulatedCluster.Length
    private var plan: FaultPlan
    private var leftOut: Set<Int> = []
    /// The kinds without which nothing breaks.
    private(set) var neededKinds: [String] = []

    init(seed: UInt64, nodes: Int, length: SimulatedCluster.Length) {
        self.seed = seed
        self.nodes = nodes
        self.length = length
        plan = SimulatedCluster(seed: seed, nodes: nodes).plan
    }

    /// The smallest world found so far, not yet run.
    var cluster: SimulatedCluster { cluster(plan, leftOut) }

    private func cluster(_ plan: FaultPlan, _ leftOut: Set<Int>) -> SimulatedCluster {
        var cluster = SimulatedCluster(seed: seed, nodes: nodes, plan: plan)
        cluster.leftOut = leftOut
        return cluster
    }

    private func breaks(_ plan: FaultPlan, _ leftOut: Set<Int>) -> Bool {
        var cluster = cluster(plan, leftOut)
        return SimulationSweep.violation(of: &cluster, length) != nil
    }

    mutating func leaveOutKinds() {
        for (name, path) in FaultPlan.faults where plan[keyPath: path] > 0 {
            var less = plan
            less[keyPath: path] = 0
            if breaks(less, leftOut) { plan = less } else { neededKinds.append(name) }
        }
    }

    /// Leaves out half of what strikes, a quarter, and so on down to single ones (Zeller's delta debugging).
    mutating func leaveOutSingleFaults() {
        var whole = cluster
        _ = SimulationSweep.violation(of: &whole, length)
        var left = Array(whole.schedule.indices)
        var size = (left.count + 1) / 2
        var runs = 0
        while size > 0, !left.isEmpty {
            var start = 0
            while start < left.count {
                guard runs < Self.effort else { return }
                runs += 1
                let end = min(start + size, left.count)
                let more = leftOut.union(left[start..<end])
                if breaks(plan, more) {
                    leftOut = more
                    left.removeSubrange(start..<end)
                } else {
                    start = end
                }
            }
            size = size == 1 ? 0 : (size + 1) / 2
        }
    }
}
