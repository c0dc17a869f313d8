import Foundation
import Synchronization

/// Thousands of workers with a connection and a parked claim each, on three nodes: what they cost while nothing happens, and
/// whether one post wakes one of them.
struct WorkersRun: Sendable {
    private static let idle: Duration = .seconds(10)
    private static let posts = 200

    var workers: Int
    /// Waits and claims that are parked beside them on a few connections.
    var waits: Int
    var quiet: Duration
    var memoryLimit: UInt64

    struct Ending: Sendable {
        var workers: Int
        var waits: Int
        var memoryBefore: [UInt64]
        var memoryAfter: [UInt64]
        /// Share of one processor that each node used while all workers were parked and nobody else did anything.
        var idleShare: [Double]
        var honest: HonestClient.Reading
        var parkTime: Duration
        var wakes: WorkerCrowd.Wakes
        var elections: Int

        func text(_ findings: [String]) -> String {
            var table = TextTable([
                .init("NODE", .right), .init("MEMORY BEFORE", .right), .init("WITH WORKERS", .right), .init("EACH", .right),
                .init("IDLE CPU", .right),
            ])
            for (place, (before, after)) in zip(memoryBefore, memoryAfter).enumerated() {
                let each = after > before ? (after - before) / UInt64(workers + waits) : 0
                table.add([
                    "\(place + 1)", Figures.bytes(before), Figures.bytes(after), Figures.bytes(each),
                    Figures.fixed(idleShare[place] * 100, 1) + " %",
                ])
            }
            let (alone, beside) = (honest.times[0].percentiles, honest.times[1].percentiles)
            func pair(_ of: BenchTimes.Percentiles) -> String {
                "p50 \(Figures.fixed(of.p50 / 1000, 2)) ms, p99 \(Figures.fixed(of.p99 / 1000, 2)) ms"
            }
            let latency = wakes.times.percentiles
            let lines = [
                "", table.text,
                "workers   \(Figures.grouped(workers)), and \(Figures.grouped(waits)) other waits and claims, parked in \(Figures.fixed(parkTime.inSeconds, 1)) s",
                "honest    alone: \(pair(alone)); beside the workers: \(pair(beside)); \(honest.failed) calls failed",
                "wakes     \(wakes.posts) posts woke \(wakes.claimed) workers; \(wakes.others) frames reached others; "
                    + "post to claim: "
                    + pair(latency),
                "leaders   \(elections) elections",
                findings.isEmpty ? "verdict   GOOD" : "verdict   BAD: \(findings.count) findings",
            ]
            return (lines + findings.map { "          \($0)" }).map { $0 + "\n" }.joined()
        }
    }

    func run(on stage: StrangersStage, _ notes: ChaosNotes) async throws -> Ending {
        let nodes = StrangersNodes(stage, notes, memoryLimit: memoryLimit)
        let scene = AttackScene(
            cluster: StrangersStage.cluster, targets: stage.targets, rate: 100, descriptors: workers, producerBytes: 0)
        let pulse = try StrangersPulse(stage, scene)
        let honest = try HonestClient(stage, timeout: .seconds(10), mayBeFull: false)
        let watch = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await nodes.watch() }
                group.addTask { await pulse.run() }
            }
        }
        let result: Result<Ending, any Error>
        do {
            result = .success(try await run(stage, scene, notes, nodes, pulse, honest))
        } catch {
            result = .failure(error)
        }
        scene.end()
        watch.cancel()
        await watch.value
        await nodes.stop()
        await honest.close()
        await pulse.close()
        return try result.get()
    }

    private func run(
        _ stage: StrangersStage, _ scene: AttackScene, _ notes: ChaosNotes, _ nodes: StrangersNodes, _ pulse: StrangersPulse,
        _ honest: HonestClient
    ) async throws -> Ending {
        for target in stage.targets { try nodes.start(target.node) }
        guard await pulse.settled(within: .seconds(60), while: { nodes.lost.isEmpty }) else {
            throw CommandFailure.failed("the nodes have not found a leader")
        }
        notes.tell("node \(scene.leader.node) leads; the honest client is alone for \(Int(quiet.inSeconds)) s")
        try await load(honest, for: quiet)
        let before = nodes.memory
        let elections = pulse.elections
        let crowd = WorkerCrowd(scene, workers: workers, waits: waits)
        let start = ContinuousClock.now
        let finished = Task { await crowd.run(posts: Self.posts) }
        defer { crowd.proceed(to: .wake) }
        while crowd.phase == .park {
            guard ContinuousClock.now - start < .seconds(120), nodes.lost.isEmpty else {
                throw CommandFailure.failed("only \(crowd.parked) of \(workers) workers could be parked")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        let parkTime = ContinuousClock.now - start
        notes.tell(
            "\(workers) workers and \(waits) waits are parked after \(Figures.fixed(parkTime.inSeconds, 1)) s; "
                + "nothing happens for \(Int(Self.idle.inSeconds)) s"
        )
        try await Task.sleep(for: .seconds(2))
        let shares = try await idleShares(nodes)
        let after = nodes.memory
        honest.begin(.attack)
        try await load(honest, for: quiet)
        notes.tell("\(Self.posts) posts, one after the other")
        crowd.proceed(to: .wake)
        let wakes = await finished.value
        if wakes.claimed != Self.posts { notes.find("\(Self.posts) posts woke \(wakes.claimed) workers") }
        if wakes.others > 0 { notes.find("\(wakes.others) frames reached workers that had nothing to do") }
        if wakes.closed > 0 { notes.find("\(wakes.closed) of the workers' connections were closed") }
        if honest.reading.failed > 0 { notes.find("\(honest.reading.failed) calls of the honest client failed") }
        return Ending(
            workers: workers, waits: waits, memoryBefore: before, memoryAfter: after, idleShare: shares, honest: honest.reading,
            parkTime: parkTime, wakes: wakes, elections: pulse.elections - elections)
    }

    private func load(_ honest: HonestClient, for time: Duration) async throws {
        let load = Task { await honest.run() }
        try? await Task.sleep(for: time)
        load.cancel()
        await load.value
        try Task.checkCancellation()
    }

    private func idleShares(_ nodes: StrangersNodes) async throws -> [Double] {
        let pids = nodes.pids
        let before = pids.map { ProcessUsage.read(pid: $0)?.cpuSeconds ?? 0 }
        let start = ContinuousClock.now
        try await Task.sleep(for: Self.idle)
        let time = (ContinuousClock.now - start).inSeconds
        return zip(pids, before).map { pid, before in
            max(0, (ProcessUsage.read(pid: pid)?.cpuSeconds ?? before) - before) / time
        }
    }
}
