import Jobboard
import JobboardClient
import ServiceLifecycle

/// Consumes jobs as soon as they are claimed, in this process: what `work` would do if every command ended at once with success.
struct JustConsume: Service {
    private static let pause: Duration = .milliseconds(200)

    let client: JobboardClient
    let who: String
    let concurrency: Int
    let lease: Duration
    let wait: Duration
    let name: String?
    let recorder: JobRecorder?
    let idle: IdleWatch?

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<concurrency { group.addTask { try await loop() } }
                try await group.waitForAll()
            }
        }
    }

    private func loop() async throws {
        while !Task.isCancelled {
            do {
                for job in try await client.claimNext(who: who, wait: wait, lease: lease, name: name) {
                    idle?.began()
                    defer { idle?.ended() }
                    try await consume(job)
                }
            } catch is CancellationError {
                return
            } catch let error as JobboardError where Self.isPassing(error) {
                Console.note("jobboard: claim failed, trying again: \(error)")
                do { try await Task.sleep(for: Self.pause) } catch { return }
            }
        }
    }

    /// An answer is waited for until there is one: only then it is known whether the job is to be recorded.
    private func consume(_ job: Job) async throws {
        while true {
            do throws(JobboardError) {
                _ = try await client.consume(job.id, who: who, fence: job.fence)
                break
            } catch {
                guard Self.isPassing(error) || error.outcome == .unknown else {
                    return Console.note("jobboard: \(job.id) was not consumed: \(error)")
                }
                Console.note("jobboard: consume of \(job.id), trying again: \(error)")
                do { try await Task.sleep(for: Self.pause) } catch { return }
            }
        }
        try recorder?.record(job.id, fence: job.fence ?? 0, who: who)
    }

    private static func isPassing(_ error: JobboardError) -> Bool {
        [.unavailable, .overloaded, .sessionExpired, .readOnly].contains(error.code)
    }
}
