import Consensus
import Jobboard
import JobboardClient
import Simulation

/// One client that posts and works, forgets and dies, and comes back under the same name.
struct ChaosWorker {
    static let board = "work"
    let name: String
    let stage: ChaosStage
    let recorder: HistoryRecorder
    let pool: JobPool
    let notes: ChaosNotes
    /// Between two operations, on average.
    let pause: Duration
    /// How long it waits for an answer.
    let timeout: Duration
    var random: SplitMix64

    var client: JobboardClient
    private var place: Int
    var held: [Simulation.Operation.Claim] = []
    /// One that it no longer has, or should not have.
    var stale: Simulation.Operation.Claim?
    /// A post whose outcome nobody knows, to be made again word for word.
    var doubtful: NewJob?

    init(
        number: Int, _ stage: ChaosStage, _ recorder: HistoryRecorder, _ pool: JobPool, _ notes: ChaosNotes, pause: Duration,
        seed: UInt64
    ) throws {
        name = "client-\(number)"
        self.stage = stage
        self.recorder = recorder
        self.pool = pool
        self.notes = notes
        self.pause = pause
        // Every third one gives up early, and so learns nothing for sure.
        timeout = number.isMultiple(of: 3) ? .milliseconds(250) : .seconds(number.isMultiple(of: 2) ? 2 : 6)
        random = SplitMix64(seed: seed)
        place = number
        client = try stage.makeClient(beginningWith: place, timeout: timeout)
    }

    /// Until the meter says that it is over, or the task is cancelled.
    mutating func live(until meter: ProgressMeter) async throws {
        while !meter.isOver, !Task.isCancelled {
            try await Task.sleep(for: pause * (0.5 + Double(random.below(1000)) / 1000))
            try await act()
        }
        await client.shutdown()
    }

    private mutating func act() async throws {
        let dice = random.below(1000)
        if dice < 6 {
            try await die()
        } else if let doubtful, dice < 300 {
            self.doubtful = nil
            await post([doubtful])
        } else if let place = held.indices.last, dice < 620 {
            await hold(held.remove(at: place))
        } else if let stale, dice < 650 {
            self.stale = nil
            await use(stale, dice)
        } else if dice < 720, let job = pool.any(&random) {
            await look(at: job, dice)
        } else if dice < 770, let job = pool.any(&random) {
            await claim(job)
        } else if pool.outstanding < 40, random.below(2) == 0 {
            await post((0..<(random.below(8) == 0 ? 3 : 1)).map { _ in newJob() })
        } else {
            await claimNext()
        }
    }

    /// All at once, with a call under way and with claims: its leases have to end.
    private mutating func die() async throws {
        notes.count(.clientDeaths)
        let dying = client
        let wait: Duration = .milliseconds(Int64(random.below(30)))
        let death = Task {
            try? await Task.sleep(for: wait)
            await dying.shutdown()
        }
        await claimNext()
        await death.value
        stale = held.last ?? stale
        held = []
        doubtful = nil
        place += 1
        client = try stage.makeClient(beginningWith: place, timeout: timeout)
    }
}
