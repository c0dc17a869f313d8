import Foundation
import JobboardClient

/// A run: a quiet phase, the attacks, quiet again, each node killed and started again, and the end.
struct StrangersRun: Sendable {
    private static let firstLeader: Duration = .seconds(60)
    /// How long nodes may take to shake off what was sent to them.
    private static let recovery: Duration = .seconds(60)
    private static let restart: Duration = .seconds(60)

    var attacks: [AttackKind]
    var quiet: Duration
    var duration: Duration
    var seed: UInt64
    var memoryLimit: UInt64
    /// Within which each call of the honest client must succeed.
    var timeout: Duration
    var mayBeFull: Bool

    /// What the report needs.
    struct Ending: Sendable {
        var honest: HonestClient.Reading
        var peaks: [StrangersNodes.Peak]
        var tallies: [AttackKind: AttackTally]
        var elections: Int
        var attackTime: Duration
    }

    func run(on stage: StrangersStage, _ scene: AttackScene, _ notes: ChaosNotes) async throws -> Ending {
        let nodes = StrangersNodes(stage, notes, memoryLimit: memoryLimit)
        let pulse = try StrangersPulse(stage, scene)
        let honest = try HonestClient(stage, timeout: timeout, mayBeFull: mayBeFull)
        let background = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await nodes.watch() }
                group.addTask { await pulse.run() }
                group.addTask { await honest.watch() }
            }
        }
        let result: Result<Ending, any Error>
        do {
            result = .success(try await run(stage, scene, notes, nodes, pulse, honest))
        } catch {
            result = .failure(error)
        }
        scene.end()
        background.cancel()
        await nodes.clear()
        // Before the event loops are shut down: a question that is still open would never be answered.
        await background.value
        await honest.close()
        await pulse.close()
        return try result.get()
    }

    private func run(
        _ stage: StrangersStage, _ scene: AttackScene, _ notes: ChaosNotes, _ nodes: StrangersNodes, _ pulse: StrangersPulse,
        _ honest: HonestClient
    ) async throws -> Ending {
        for target in stage.targets { try nodes.start(target.node) }
        guard await pulse.settled(within: Self.firstLeader, while: { nodes.lost.isEmpty }) else {
            throw CommandFailure.failed("the nodes have not found a leader")
        }
        let load = Task { await honest.run() }
        defer { load.cancel() }
        notes.tell("node \(scene.leader.node) leads; the honest client is alone for \(Int(quiet.inSeconds)) s")
        try await Task.sleep(for: quiet)
        let elections = pulse.elections
        let attackTime = try await attack(scene, notes, nodes, honest)
        let disturbed = pulse.elections - elections
        try await recover(notes, nodes, pulse, honest)
        load.cancel()
        await load.value
        for target in stage.targets {
            try Task.checkCancellation()
            try await restart(target.node, notes, nodes, pulse)
        }
        await judge(honest, notes)
        let peaks = nodes.peaks
        await nodes.stop()
        return Ending(
            honest: honest.reading, peaks: peaks, tallies: scene.tallies, elections: disturbed, attackTime: attackTime)
    }

    /// Until the time is up or a node is lost: then there is nothing more to prove.
    private func attack(
        _ scene: AttackScene, _ notes: ChaosNotes, _ nodes: StrangersNodes, _ honest: HonestClient
    ) async throws -> Duration {
        let start = ContinuousClock.now
        honest.begin(.attack)
        notes.tell("strangers for \(Int(duration.inSeconds)) s: \(attacks.map(\.rawValue).joined(separator: ", "))")
        let strangers = Task {
            await withTaskGroup(of: Void.self) { group in
                for (place, kind) in attacks.enumerated() {
                    group.addTask { await scene.run(kind, seed: seed &+ UInt64(place)) }
                }
            }
        }
        while ContinuousClock.now - start < duration, nodes.lost.isEmpty, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
        }
        let time = ContinuousClock.now - start
        scene.end()
        await strangers.value
        notes.tell("the strangers are gone after \(Figures.fixed(time.inSeconds, 1)) s")
        try Task.checkCancellation()
        return time
    }

    /// All nodes must answer and agree on a leader, and their memory must stop growing.
    private func recover(
        _ notes: ChaosNotes, _ nodes: StrangersNodes, _ pulse: StrangersPulse, _ honest: HonestClient
    ) async throws {
        honest.begin(.after)
        for node in nodes.lost { try nodes.start(node) }
        let start = ContinuousClock.now
        guard await pulse.settled(within: Self.recovery) else {
            return notes.find("the cluster is not whole again \(Int(Self.recovery.inSeconds)) s after the attacks")
        }
        let elections = pulse.elections
        notes.tell("all nodes answer and agree on a leader after \(Figures.fixed((ContinuousClock.now - start).inSeconds, 1)) s")
        // Waits that were parked for a minute may have to run out first.
        try await Task.sleep(for: .seconds(5))
        let before = nodes.memory
        try await Task.sleep(for: .seconds(5))
        for (place, (before, after)) in zip(before, nodes.memory).enumerated() where after > before + before / 20 + 16 << 20 {
            notes.find("node \(place + 1)'s memory still grows: from \(Figures.bytes(before)) to \(Figures.bytes(after))")
        }
        if pulse.elections > elections { notes.find("the leader changed though nobody attacked any more") }
    }

    /// Kills a node and starts it again: what the attacks left in logs and snapshots must be loadable.
    private func restart(
        _ node: UInt64, _ notes: ChaosNotes, _ nodes: StrangersNodes, _ pulse: StrangersPulse
    ) async throws {
        let commit = pulse.commit
        await nodes.kill(node)
        try nodes.start(node)
        let start = ContinuousClock.now
        let isBack = await pulse.caughtUp(node, with: commit, within: Self.restart)
        let seconds = Figures.fixed((ContinuousClock.now - start).inSeconds, 1)
        if isBack {
            notes.tell("node \(node), killed and started again, is back in \(seconds) s")
        } else {
            notes.find("node \(node), killed and started again, is not back in \(seconds) s")
        }
    }

    private func judge(_ honest: HonestClient, _ notes: ChaosNotes) async {
        // Events may be a little behind the answers.
        let deadline = ContinuousClock.now + .seconds(20)
        while !honest.violations.isEmpty, .now < deadline, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(100)) }
        for violation in honest.violations { notes.find(violation) }
        let reading = honest.reading
        if reading.failed > 0 { notes.find("\(reading.failed) calls of the honest client failed") }
        for failure in reading.failures { notes.find("honest client: \(failure)") }
        if reading.consumed.isEmpty { notes.find("the honest client consumed nothing") }
    }
}
