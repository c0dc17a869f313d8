import Jobboard
import JobboardClient
import Synchronization

/// One measurement: so many lives in flight, closed loop.
struct BenchLevel: Sendable {
    enum Limit: Sendable {
        case time(Duration)
        case lives(Int)
    }

    private static let warmUp: Duration = .seconds(1)

    let inFlight: Int
    let details: [UInt8]
    let limit: Limit

    /// Times in nanoseconds.
    struct Samples: Sendable {
        var post: [UInt64] = []
        var claim: [UInt64] = []
        var consume: [UInt64] = []
    }

    func run(_ clients: [JobboardClient], on executors: [EventLoopTaskExecutor]) async throws -> BenchResult {
        let taken = LifeCounter()
        let begin = ContinuousClock.now + Self.warmUp
        let all = try await withThrowingTaskGroup(of: Samples.self) { group in
            for place in 0..<inFlight {
                let client = clients[place % clients.count]
                let executor = executors[place % executors.count]
                group.addTask(executorPreference: executor) { try await loop(client, who: "bench-\(place)", begin, taken) }
            }
            var all = Samples()
            for try await samples in group {
                all.post += samples.post
                all.claim += samples.claim
                all.consume += samples.consume
            }
            return all
        }
        let elapsed: Duration
        switch limit {
        case .time(let time): elapsed = time
        case .lives: elapsed = ContinuousClock.now - begin
        }
        return BenchResult(inFlight: inFlight, seconds: elapsed.inSeconds, samples: all)
    }

    /// Lives that begin before `begin` warm up; with a limit of time, those that end after it are not counted either.
    private func loop(
        _ client: JobboardClient, who: String, _ begin: ContinuousClock.Instant, _ taken: LifeCounter
    ) async throws -> Samples {
        var samples = Samples()
        while true {
            let start = ContinuousClock.now
            if start >= begin, case .lives(let count) = limit, taken.take() >= count { return samples }
            let job = try await client.post(NewJob(name: "bench", details: details)).job
            let posted = ContinuousClock.now
            let claim = try await client.claim(job.id, who: who)
            let claimed = ContinuousClock.now
            _ = try await client.consume(job.id, who: who, fence: claim.fence)
            let consumed = ContinuousClock.now
            if case .time(let time) = limit, consumed > begin + time { return samples }
            guard start >= begin else { continue }
            samples.post.append(Self.nanoseconds(posted - start))
            samples.claim.append(Self.nanoseconds(claimed - posted))
            samples.consume.append(Self.nanoseconds(consumed - claimed))
        }
    }

    private static func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}

/// Gives out lives, where their number is limited.
private final class LifeCounter: Sendable {
    private let next = Atomic(0)

    func take() -> Int {
        next.wrappingAdd(1, ordering: .relaxed).oldValue
    }
}
