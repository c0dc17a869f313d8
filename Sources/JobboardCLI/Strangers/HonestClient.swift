import Jobboard
import JobboardClient
import NIOCore
import NIOPosix
import Synchronization

/// A well-behaved client beside the strangers: a small, steady load on a board of its own. Every call must succeed in time,
/// and every job must be consumed exactly once, by what the client was told and by the events.
final class HonestClient: Sendable {
    static let board = "honest"
    private static let lanes = 4
    private static let pause: Duration = .milliseconds(100)
    private static let slow: Duration = .seconds(1)

    enum Phase: Int, CaseIterable, Sendable {
        case quiet
        case attack
        case after
    }

    struct Reading: Sendable {
        var times = Array(repeating: BenchTimes(), count: Phase.allCases.count)
        var calls = 0
        var slowCalls = 0
        var failures: [String] = []
        var failed = 0
        /// Posts that were refused because the board is full, where that may be.
        var readOnly = 0
        /// Jobs whose consume was acknowledged.
        var consumed: Set<JobID> = []
        /// How often each job was consumed by what the watch said.
        var events: [JobID: Int] = [:]
    }

    private struct State {
        var phase = Phase.quiet
        var reading = Reading()
    }

    private let client: JobboardClient
    private let group: MultiThreadedEventLoopGroup
    private let mayBeFull: Bool
    private let state = Mutex(State())

    /// - Parameter mayBeFull: the strangers fill the board, so that a post may be answered with `read_only`.
    /// - Parameter timeout: within which each call must succeed, retries included.
    init(_ stage: StrangersStage, timeout: Duration, mayBeFull: Bool) throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        client = try stage.makeClient(board: Self.board, timeout: timeout, eventLoopGroup: group)
        self.mayBeFull = mayBeFull
    }

    var reading: Reading { state.withLock { $0.reading } }

    func begin(_ phase: Phase) { state.withLock { $0.phase = phase } }

    func close() async {
        await client.shutdown()
        try? await group.shutdownGracefully()
    }

    /// Until the task is cancelled; lives that have begun are finished.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for lane in 1...Self.lanes {
                group.addTask { [self] in
                    while !Task.isCancelled {
                        await live("honest-\(lane)")
                        try? await Task.sleep(for: Self.pause)
                    }
                }
            }
        }
    }

    /// Counts the events of its board until the task is cancelled.
    func watch() async {
        do {
            for try await event in client.watch(from: 1) where event.kind == .consumed {
                state.withLock { $0.reading.events[event.job, default: 0] += 1 }
            }
        } catch {
            if !Task.isCancelled { fail("watch", error) }
        }
    }

    /// What does not fit: a job whose consume was acknowledged must have one event, and no job may have two.
    var violations: [String] {
        let reading = reading
        let missing = reading.consumed.filter { reading.events[$0] == nil }.count
        let twice = reading.events.values.filter { $0 > 1 }.count
        var found: [String] = []
        if missing > 0 { found.append("\(missing) jobs of the honest client were consumed, and no event says so") }
        if twice > 0 { found.append("\(twice) jobs of the honest client were consumed more than once") }
        return found
    }

    private func live(_ who: String) async {
        let job = NewJob(name: "honest", details: Array("{\"by\":\"\(who)\"}".utf8))
        let (client, id) = (client, job.id)
        guard await ask("post", { () throws(JobboardError) in _ = try await client.post(job) }),
            await ask("claim", { () throws(JobboardError) in _ = try await client.claim(id, who: who) }),
            await ask("extend", { () throws(JobboardError) in _ = try await client.extend(id, who: who) }),
            await ask("consume", { () throws(JobboardError) in _ = try await client.consume(id, who: who) })
        else { return }
        _ = state.withLock { $0.reading.consumed.insert(id) }
    }

    private func ask(_ name: String, _ call: () async throws(JobboardError) -> Void) async -> Bool {
        let phase = state.withLock { $0.phase }
        let start = ContinuousClock.now
        do throws(JobboardError) {
            try await call()
            let time = ContinuousClock.now - start
            state.withLock { state in
                state.reading.calls += 1
                state.reading.times[phase.rawValue].add(nanoseconds: UInt64(time.inSeconds * 1e9))
                if time > Self.slow { state.reading.slowCalls += 1 }
            }
            return true
        } catch {
            if mayBeFull, error.code == .readOnly {
                state.withLock { $0.reading.readOnly += 1 }
            } else {
                fail(name, error)
            }
            return false
        }
    }

    private func fail(_ name: String, _ error: any Error) {
        state.withLock { state in
            state.reading.failed += 1
            if state.reading.failures.count < 5 { state.reading.failures.append("\(name): \(error)") }
        }
    }
}
