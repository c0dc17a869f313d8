import Consensus
import Jobboard
import JobboardClient
import Synchronization

/// One measurement: so many tasks, each with one round under way at a time.
struct BenchLevel: Sendable {
    enum Limit: Sendable {
        case time(Duration)
        /// So many rounds are begun.
        case rounds(Int)
    }

    let mode: BenchMode
    let inFlight: Int
    let batch: Int
    let details: [UInt8]
    let warmUp: Duration
    let limit: Limit

    func run(on stage: BenchStage, watch: BenchWatch?, target: JobID?) async throws -> BenchResult {
        let taken = RoundCounter()
        let begin = ContinuousClock.now + warmUp
        let recorders = stage.clients.map { _ in BenchRecorder(operations: mode.operations.count) }
        let (before, steal) = try await withThrowingTaskGroup(of: Void.self) { group in
            for place in 0..<inFlight {
                let client = place % stage.clients.count
                let round = BenchRound(
                    mode: mode, client: stage.clients[client], who: "bench-\(place)", details: details, batch: batch,
                    watch: watch, target: target)
                group.addTask(executorPreference: stage.executors[client]) {
                    try await loop(round, begin, taken, recorders[client])
                }
            }
            try await Task.sleep(until: begin)
            watch?.record(in: recorders[0])
            let before = await stage.spending()
            let steal = Machine.stolen()
            try await group.waitForAll()
            return (before, steal)
        }
        let elapsed: Duration =
            switch limit {
            case .time(let time): time
            case .rounds: ContinuousClock.now - begin
            }
        watch?.record(in: nil)
        let after = await stage.spending()
        var notes = BenchRecorder.Notes(operations: mode.operations.count)
        for recorder in recorders { notes.add(recorder.notes) }
        return BenchResult(
            seconds: elapsed.inSeconds, notes: notes,
            costs: BenchCosts(from: before, to: after, count: notes.count, commands: mode.commands(batch: batch)),
            stolen: Machine.stolen().share(since: steal))
    }

    /// Rounds that begin before `begin` warm up; with a limit of time, those that end after it are not counted either.
    private func loop(
        _ round: BenchRound, _ begin: ContinuousClock.Instant, _ taken: RoundCounter, _ recorder: BenchRecorder
    ) async throws {
        var random = SplitMix64(seed: .random(in: 0 ... .max))
        while true {
            let start = ContinuousClock.now
            if start >= begin, case .rounds(let count) = limit, taken.take() >= count { return }
            let done = try await round.run(&random)
            if case .time(let time) = limit, ContinuousClock.now > begin + time { return }
            if start >= begin { recorder.note(done) }
        }
    }
}

/// Gives out rounds, where their number is limited.
private final class RoundCounter: Sendable {
    private let next = Atomic(0)

    func take() -> Int {
        next.wrappingAdd(1, ordering: .relaxed).oldValue
    }
}
