import Consensus
import JobboardClient

/// Makes things go wrong as the schedule says, and mends them.
struct FaultPlay {
    /// At the beginning, so that there is a leader and some work under way.
    private static let prelude: Duration = .seconds(2)
    /// After so long without a fault, a post must succeed in time, and watchers must hear.
    private static let patience: Duration = .seconds(10)
    private static let postTimeout: Duration = .seconds(5)
    private static let look: Duration = .milliseconds(100)

    let stage: ChaosStage
    let nodes: ChaosNodes
    let pulse: ChaosPulse
    let meter: ProgressMeter
    let notes: ChaosNotes
    let recorder: HistoryRecorder
    let watchers: [ChaosWatcher]
    var schedule: FaultSchedule

    /// What is cut at this moment.
    var cuts = LinkCuts()

    init(
        _ stage: ChaosStage, _ nodes: ChaosNodes, _ pulse: ChaosPulse, _ meter: ProgressMeter, _ notes: ChaosNotes,
        _ recorder: HistoryRecorder, _ watchers: [ChaosWatcher], _ schedule: FaultSchedule
    ) {
        self.stage = stage
        self.nodes = nodes
        self.pulse = pulse
        self.meter = meter
        self.notes = notes
        self.recorder = recorder
        self.watchers = watchers
        self.schedule = schedule
    }

    /// One episode after the other; the last one is over before `end`, and a long calm follows it. That ends the clients.
    mutating func run(until end: ContinuousClock.Instant) async throws {
        try await rest(Self.prelude)
        while true {
            let episode = schedule.next()
            guard .now + episode.lasts + FaultSchedule.longCalm + .seconds(2) < end else { break }
            try await perform(episode)
            guard .now + episode.calm + FaultSchedule.longCalm < end else { break }
            try await calm(episode.calm)
        }
        notes.tell("the last fault is over")
        try await calm(FaultSchedule.longCalm)
        meter.end()
    }

    /// Waits, and looks after the nodes meanwhile.
    func rest(_ time: Duration) async throws {
        let end = ContinuousClock.now + time
        while .now < end {
            try nodes.lookAfter()
            meter.connected(cuts.hasConnectedMajority(of: stage.nodeCount, up: nodes.up))
            try await Task.sleep(for: min(Self.look, end - .now))
        }
    }

    private func calm(_ time: Duration) async throws {
        for disk in stage.disks { try disk.growIfNeeded() }
        guard time >= FaultSchedule.longCalm else { return try await rest(time) }
        let start = ContinuousClock.now
        try await rest(Self.patience)
        let client = try stage.makeClient(beginningWith: schedule.dealt, timeout: Self.postTimeout)
        var probe = ChaosProbe("calm", client, recorder, seed: UInt64(schedule.dealt) &* 0x9e37_79b9)
        if await probe.work() {
            notes.count(.promptPosts)
        } else {
            notes.find("no fault for \(Figures.fixed((.now - start).inSeconds, 1)) s, and yet a job was not posted and consumed")
        }
        await client.shutdown()
        for watcher in watchers {
            let silence = ContinuousClock.now - watcher.reading.lastEvent
            guard silence > .seconds(6) else { continue }
            let time = Figures.fixed(silence.inSeconds, 1)
            notes.find("\(watcher.name) has heard nothing for \(time) s, though nothing is broken")
        }
        try await rest(max(.zero, start + time - .now))
    }
}
