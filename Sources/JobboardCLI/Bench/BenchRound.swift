import Consensus
import Jobboard
import JobboardClient

/// One task of a measurement, and what it does in a round.
struct BenchRound: Sendable {
    let mode: BenchMode
    let client: JobboardClient
    let who: String
    let details: [UInt8]
    /// Jobs of a round, in the batch mode.
    let batch: Int
    /// Told of each post before it is made; nil where nobody watches.
    let watch: BenchWatch?
    /// What reads ask for.
    let target: JobID?

    /// Jobs done, or reads, and nanoseconds of each operation.
    struct Done: Sendable {
        var count = 0
        var times: [(operation: Int, nanoseconds: UInt64)] = []
    }

    /// - Parameter random: gives the jobs' identities; asking the system for each would be a good part of what a client costs.
    func run(_ random: inout SplitMix64) async throws -> Done {
        var done = Done()
        done.times.reserveCapacity(mode.operations.count)
        switch mode {
        case .life, .watch:
            let new = newJob(&random)
            watch?.posting(new.id)
            let job = try await timed(0, &done) { try await client.post(new).job }
            let claim = try await timed(1, &done) { try await client.claim(job.id, who: who) }
            try await timed(2, &done) { try await consume(claim) }
        case .claimNext:
            let new = newJob(&random)
            _ = try await timed(0, &done) { try await client.post(new) }
            let claimed = try await timed(1, &done) { try await client.claimNext(who: who, wait: .seconds(10)) }
            for job in claimed { try await timed(2, &done) { try await consume(job) } }
            done.count = claimed.count
            return done
        case .batch:
            return try await runBatch(&random)
        case .read, .staleRead:
            guard let target else { preconditionFailure("nothing to read") }
            _ = try await timed(0, &done) { try await client.job(target, fresh: mode == .read) }
        }
        done.count = 1
        return done
    }

    private func runBatch(_ random: inout SplitMix64) async throws -> Done {
        var done = Done()
        let new = (0..<batch).map { _ in newJob(&random) }
        _ = try await timed(0, &done) { try await client.post(new) }
        // Others may take what this task posted; as many were posted as all claim, so there is enough for each.
        while done.count < batch {
            let left = batch - done.count
            let claimed = try await timed(1, &done) { try await client.claimNext(who: who, count: left, wait: .seconds(10)) }
            done.count += claimed.count
            try await withThrowingTaskGroup(of: UInt64.self) { group in
                for job in claimed {
                    group.addTask {
                        let start = ContinuousClock.now
                        try await consume(job)
                        return (ContinuousClock.now - start).wholeNanoseconds
                    }
                }
                for try await time in group { done.times.append((2, time)) }
            }
        }
        return done
    }

    private func newJob(_ random: inout SplitMix64) -> NewJob {
        NewJob(id: .random(using: &random), name: "bench", details: details)
    }

    private func consume(_ job: Job) async throws {
        _ = try await client.consume(job.id, who: who, fence: job.fence)
    }

    private func timed<Result>(
        _ operation: Int, _ done: inout Done, _ body: () async throws -> Result
    ) async throws -> Result {
        let start = ContinuousClock.now
        let result = try await body()
        done.times.append((operation, (ContinuousClock.now - start).wholeNanoseconds))
        return result
    }
}

extension Duration {
    /// Of a time that is not negative and less than 500 years.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
