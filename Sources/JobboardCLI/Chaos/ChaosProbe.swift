import Consensus
import Jobboard
import JobboardClient
import Simulation

/// Posts, claims and consumes one job after the other, on a board that nobody else uses.
///
/// That shows whether the cluster makes progress. A large one, posted again and again, makes the logs grow.
struct ChaosProbe {
    private static let largeBytes = 240_000

    private let client: JobboardClient
    private let recorder: HistoryRecorder
    private let name: String
    private var random: SplitMix64
    private var large: NewJob?

    init(_ name: String, _ client: JobboardClient, _ recorder: HistoryRecorder, seed: UInt64) {
        self.name = name
        self.client = client
        self.recorder = recorder
        random = SplitMix64(seed: seed)
    }

    /// Until the meter says that it is over, or the task is cancelled.
    mutating func run(until meter: ProgressMeter, pause: Duration) async throws {
        while !meter.isOver, !Task.isCancelled {
            _ = await work()
            try await Task.sleep(for: pause)
        }
        await client.shutdown()
    }

    /// One job from its post to its end. True when each step was acknowledged.
    mutating func work() async -> Bool {
        let job = NewJob(id: JobID.random(using: &random), name: name)
        guard await post([job]) else { return false }
        var asked = operation(.claim, [job.id])
        asked.leaseMilliseconds = 10_000
        let answer = await recorder.record(asked) { [client, name] in
            let fence = try await client.claim(job.id, who: name, lease: .seconds(10)).fence ?? 0
            return .claimed([.init(job: job.id, fence: fence)])
        }
        guard case .claimed(let claims) = answer else { return false }
        asked = operation(.consume, [job.id])
        asked.fence = claims[0].fence
        return await recorder.record(asked) { [client, name] in
            .done(state: try await client.consume(job.id, who: name, fence: claims[0].fence).state)
        } != nil
    }

    /// Posts a large job, the same one as before, so that logs grow and boards don't; another one when it is not known what
    /// became of the last. A small new job comes with it, since a post that changes nothing is not logged.
    mutating func postLarge() async {
        let job = large ?? NewJob(id: JobID.random(using: &random), name: name, details: largeDetails())
        large = await post([job, NewJob(id: JobID.random(using: &random), name: name)]) ? job : nil
    }

    private func post(_ jobs: [NewJob]) async -> Bool {
        await recorder.record(operation(.post, jobs.map(\.id))) { [client, name] in
            .posted(duplicates: try await client.post(jobs, board: name).map(\.duplicate))
        } != nil
    }

    private func operation(_ action: Simulation.Operation.Action, _ jobs: [JobID]) -> Simulation.Operation {
        var operation = Simulation.Operation(client: name, action, jobs: jobs, called: 0)
        operation.who = name
        operation.board = name
        return operation
    }

    /// Without a pattern, so that it stays as large when it is compressed.
    private mutating func largeDetails() -> [UInt8] {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text: [UInt8] = [UInt8(ascii: "\"")]
        text.reserveCapacity(Self.largeBytes + 2)
        while text.count < Self.largeBytes {
            var luck = random.next()
            for _ in 0..<10 {
                text.append(letters[Int(luck & 63)])
                luck >>= 6
            }
        }
        return text + [UInt8(ascii: "\"")]
    }
}
