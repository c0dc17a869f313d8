import Consensus
import Jobboard
import JobboardClient
import WireFormat

/// What a leader's death costs: it is killed again and again, with jobs in flight.
struct FailoverBench {
    /// One death.
    struct Fall: Sendable, Equatable {
        /// The longest time without an acknowledgement, from the kill until the node was back.
        var gap: Duration
        /// From its start until the killed node had applied what the others had when it started.
        var back: Duration
    }

    private static let patience: Duration = .seconds(60)
    private static let pause: Duration = .milliseconds(10)

    let kills: Int
    let inFlight: Int
    let details: [UInt8]

    /// `nodes`: the processes, by place; they change with each start.
    func run(on stage: BenchStage, _ cluster: DemoStage, _ nodes: inout [DemoProcess]) async throws -> [Fall] {
        let watch = LeaderWatch(client: stage.clients[0], addresses: cluster.addresses)
        let clock = FailoverClock()
        let load = Task { await work(stage, clock) }
        defer { load.cancel() }
        var falls: [Fall] = []
        while falls.count < kills {
            let leader = try await settled(watch, nodes.count, beyond: 0)
            let before = clock.acknowledged
            try await wait("jobs go through") { clock.acknowledged > before + inFlight }
            clock.begin()
            nodes[leader.node].kill()
            _ = await nodes[leader.node].end()
            try await wait("another node leads") {
                await watch.look().contains { $0.role == .leader && $0.term > leader.term }
            }
            let known = await watch.look().map(\.commit).max() ?? 0
            let start = ContinuousClock.now
            nodes[leader.node] = try cluster.startNode(UInt64(leader.node + 1))
            _ = try await settled(watch, nodes.count, beyond: known)
            falls.append(Fall(gap: clock.longest(), back: .now - start))
        }
        load.cancel()
        await load.value
        return falls
    }

    /// Waits until all nodes follow one leader and have applied an entry; gives the leader's place and term.
    private func settled(_ watch: LeaderWatch, _ count: Int, beyond entry: LogIndex) async throws -> (node: Int, term: Term) {
        var found: (Int, Term)?
        try await wait("all nodes follow a leader") {
            let all = await watch.look()
            guard let leader = all.filter({ $0.role == .leader }).max(by: { $0.term < $1.term }) else { return false }
            let isSettled =
                all.count == count && all.allSatisfy { $0.term == leader.term && $0.applied >= entry && $0.leader != nil }
            if isSettled { found = (Int(leader.node) - 1, leader.term) }
            return isSettled
        }
        return found!
    }

    private func wait(_ what: String, _ isSo: () async -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while await !isSo() {
            guard .now < deadline else { throw CommandFailure.failed("not in \(Self.patience): \(what)") }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// Lives, one after the other in each of the tasks, until the task is cancelled. What fails is begun anew.
    private func work(_ stage: BenchStage, _ clock: FailoverClock) async {
        await withTaskGroup(of: Void.self) { group in
            for place in 0..<inFlight {
                let client = stage.clients[place % stage.clients.count]
                group.addTask(executorPreference: stage.executors[place % stage.clients.count]) {
                    while !Task.isCancelled {
                        guard (try? await live("bench-\(place)", client, clock)) != nil else { continue }
                    }
                }
            }
        }
    }

    private func live(_ who: String, _ client: JobboardClient, _ clock: FailoverClock) async throws {
        let job = try await client.post(NewJob(name: "bench", details: details)).job
        clock.tick()
        let claim = try await client.claim(job.id, who: who)
        clock.tick()
        _ = try await client.consume(claim.id, who: who, fence: claim.fence)
        clock.tick()
    }
}
