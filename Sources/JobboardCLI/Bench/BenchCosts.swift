import WireFormat

/// What a cluster, and this client, had spent at one moment.
struct BenchSpending: Sendable {
    /// By node; only those that answered.
    var nodes: [UInt64: NodeStatus] = [:]
    /// Of the nodes that run on this machine, by process.
    var usage: [Int32: ProcessUsage] = [:]
    var client: ProcessUsage?
}

/// What one job cost, from the spending before and after.
struct BenchCosts: Sendable, Equatable {
    /// Of all nodes together.
    var syncs = 0.0
    var entries = 0.0
    /// Commands in an entry; 0 where there were no entries.
    var batch = 0.0
    /// Of blocks, before compression and after, at one node.
    var rawBytes = 0.0
    var storedBytes = 0.0
    /// Microseconds of processor time: of each node on this machine, and of the client.
    var nodeMicroseconds: [Double] = []
    var clientMicroseconds = 0.0
    /// The most that any of the nodes ever had, in bytes; 0 when none is on this machine.
    var peakNodeBytes: UInt64 = 0
    var peakClientBytes: UInt64 = 0

    /// - Parameters:
    ///   - count: jobs that were done in between.
    ///   - commands: how many commands each took.
    init(from before: BenchSpending, to after: BenchSpending, count: Int, commands: Double) {
        let count = Double(max(count, 1))
        func grown(_ figure: (NodeStatus) -> UInt64) -> [Double] {
            before.nodes.compactMap { node, old in
                after.nodes[node].map { Double(figure($0)) - Double(figure(old)) }
            }
        }
        syncs = grown(\.syncs).reduce(0, +) / count
        let newEntries = grown(\.commit).max() ?? 0
        entries = newEntries / count
        batch = newEntries > 0 ? count * commands / newEntries : 0
        rawBytes = (grown(\.rawBytes).max() ?? 0) / count
        storedBytes = (grown(\.storedBytes).max() ?? 0) / count
        nodeMicroseconds = before.usage.sorted { $0.key < $1.key }.compactMap { pid, old in
            after.usage[pid].map { ($0.cpuSeconds - old.cpuSeconds) * 1_000_000 / count }
        }
        peakNodeBytes = after.usage.values.map(\.peakBytes).max() ?? 0
        if let old = before.client, let new = after.client {
            clientMicroseconds = (new.cpuSeconds - old.cpuSeconds) * 1_000_000 / count
            peakClientBytes = new.peakBytes
        }
    }
}
