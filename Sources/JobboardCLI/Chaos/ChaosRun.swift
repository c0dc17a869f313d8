import Consensus
import Foundation
import JobboardClient
import Simulation
import WireFormat

/// A run from its first node to the verdict.
struct ChaosRun: Sendable {
    private static let watchers = 3
    private static let probePause: Duration = .milliseconds(150)
    private static let firstLeader: Duration = .seconds(60)
    private static let agreement: Duration = .seconds(120)
    /// By how much clocks can be wrong: the answers that tell the time may have waited as long as a node stood still.
    private static let clockSlack: UInt64 = 20_000_000

    var length: Duration
    var seed: UInt64
    var clients: Int
    /// Of all workers together.
    var operationsPerSecond: Int

    /// What the summary needs.
    struct Ending: Sendable {
        var outcomes: [(Simulation.Operation.Action, HistoryRecorder.Outcomes)]
        var gap: ProgressMeter.Reading
        var elections: Int
        var lastTerm: UInt64
        var comparedBoards: Int
        var positions: Int
        var history: LinearizabilityChecker.Verdict
        var checkTime: Duration
        var checkedInLog: Int
        var logs: [String]
        var snapshotsTaken: Int
        var snapshotsFetched: Int
        var peakMemory: UInt64
        var processorTime: Duration
    }

    private struct Cast {
        var nodes: ChaosNodes
        var pulse: ChaosPulse
        var meter = ProgressMeter()
        var recorder: HistoryRecorder
        var ledger: EventLedger
        var watchers: [ChaosWatcher]
    }

    func run(on stage: ChaosStage, _ notes: ChaosNotes) async throws -> Ending {
        let meter = ProgressMeter()
        let ledger = EventLedger(notes)
        let nodes = ChaosNodes(stage, notes)
        let cast = Cast(
            nodes: nodes, pulse: try ChaosPulse(stage, nodes, notes), meter: meter,
            recorder: try HistoryRecorder(stage.historyFile, meter), ledger: ledger,
            watchers: (1...Self.watchers).map { ChaosWatcher(number: $0, stage, ledger, notes) })
        do {
            let ending = try await run(on: stage, notes, cast)
            await cast.pulse.close()
            return ending
        } catch {
            await cast.nodes.clear()
            await cast.pulse.close()
            throw error
        }
    }

    private func run(on stage: ChaosStage, _ notes: ChaosNotes, _ cast: Cast) async throws -> Ending {
        for node in 1...stage.nodeCount { try cast.nodes.start(node) }
        try await waitForLeader(stage, cast)
        notes.tell("node \(cast.pulse.leader ?? 0) leads; \(clients) clients begin")
        let background = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await cast.pulse.run() }
                for (place, watcher) in cast.watchers.enumerated() {
                    group.addTask { try? await watcher.run(seed: seed &+ 1000 &+ UInt64(place)) }
                }
            }
        }
        let end: (entry: UInt64, position: UInt64)
        do {
            try await work(stage, cast, notes, until: .now + length)
            end = try await agree(stage, cast, notes)
        } catch {
            background.cancel()
            await background.value
            throw error
        }
        background.cancel()
        await background.value
        await cast.nodes.end()
        notes.tell("all nodes have ended; reading the logs and the clients' history")
        return try await judge(stage, cast, notes, end)
    }

    private func waitForLeader(_ stage: ChaosStage, _ cast: Cast) async throws {
        let deadline = ContinuousClock.now + Self.firstLeader
        while cast.pulse.leader == nil {
            guard .now < deadline else { throw CommandFailure.failed("no leader in \(Int(Self.firstLeader.inSeconds)) s") }
            for address in stage.addresses { _ = await cast.pulse.look(address) }
            try cast.nodes.lookAfter()
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Clients and faults, until the time is up.
    private func work(
        _ stage: ChaosStage, _ cast: Cast, _ notes: ChaosNotes, until end: ContinuousClock.Instant
    ) async throws {
        let pool = JobPool()
        let pause = Duration.seconds(1) * clients / operationsPerSecond
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...clients {
                var worker = try ChaosWorker(
                    number: number, stage, cast.recorder, pool, notes, pause: pause, seed: seed &+ UInt64(number))
                group.addTask { try await worker.live(until: cast.meter) }
            }
            let client = try stage.makeClient(beginningWith: 0, timeout: .seconds(10))
            var probe = ChaosProbe("probe", client, cast.recorder, seed: seed &+ 500)
            group.addTask { try await probe.run(until: cast.meter, pause: Self.probePause) }
            var play = FaultPlay(
                stage, cast.nodes, cast.pulse, cast.meter, notes, cast.recorder, cast.watchers,
                FaultSchedule(
                    seed: seed, nodes: stage.nodeCount,
                    faults: stage.network == nil ? Fault.processes : Fault.everything))
            group.addTask { try await play.run(until: end) }
            // The first failure ends all.
            while try await group.next() != nil {}
        }
        try cast.recorder.finish()
    }

    /// Everything is whole: all nodes must come to the same, and watchers must have heard all of it.
    private func agree(_ stage: ChaosStage, _ cast: Cast, _ notes: ChaosNotes) async throws -> (entry: UInt64, position: UInt64) {
        notes.tell("waiting until all nodes have the same boards")
        guard let (entry, position) = try await cast.pulse.agreement(within: Self.agreement) else {
            throw CommandFailure.failed(
                "the nodes did not come to the same boards in \(Int(Self.agreement.inSeconds)) s, though nothing is broken")
        }
        let deadline = ContinuousClock.now + .seconds(30)
        for watcher in cast.watchers {
            while watcher.reading.next <= position, .now < deadline { try await Task.sleep(for: .milliseconds(50)) }
            if watcher.reading.next <= position {
                notes.find("\(watcher.name) was told events up to \(watcher.reading.next - 1) of \(position)")
            }
        }
        notes.tell("all nodes have the same boards after entry \(entry)")
        return (entry, position)
    }

    private func judge(
        _ stage: ChaosStage, _ cast: Cast, _ notes: ChaosNotes, _ end: (entry: UInt64, position: UInt64)
    ) async throws -> Ending {
        let logs = try ChaosLogs(stage, cast.ledger, notes, through: end.entry, end.position)
        let history = try await HistoryFile.read(stage.historyFile)
        let verdict = ChaosVerdict(history, cast.recorder.followUps, logs.facts)
        for finding in verdict.findings { notes.find(finding) }
        let start = ContinuousClock.now
        var checker = LinearizabilityChecker(clockSlack: Self.clockSlack)
        let linearizable = checker.check(history)
        for violation in linearizable.violations { notes.find("\(violation)") }
        for job in linearizable.undecided { notes.find("job \(job): too many orders to try") }
        let usage = Self.usage
        return Ending(
            outcomes: cast.recorder.outcomes, gap: cast.meter.reading, elections: cast.pulse.elections,
            lastTerm: cast.pulse.lastTerm, comparedBoards: cast.pulse.compared, positions: cast.ledger.count,
            history: linearizable, checkTime: .now - start, checkedInLog: verdict.checked, logs: logs.lines,
            snapshotsTaken: logs.snapshotsTaken, snapshotsFetched: logs.snapshotsFetched,
            peakMemory: usage.memory, processorTime: usage.time)
    }

    /// Of this process so far: the most memory at once, in bytes, and the time on processors.
    private static var usage: (memory: UInt64, time: Duration) {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        let microseconds = Int64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        return (UInt64(usage.ru_maxrss) << 10, .seconds(seconds) + .microseconds(microseconds))
    }
}
