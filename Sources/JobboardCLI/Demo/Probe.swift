import Jobboard
import JobboardClient
import Synchronization

/// Posts a tiny job every few milliseconds, to a board of its own, and keeps the longest time without an acknowledgement.
final class Probe: Sendable {
    static let board = "probe"
    private static let pause: Duration = .milliseconds(2)

    struct Reading: Sendable {
        var acknowledged = 0
        var longestGap: Duration = .zero
        /// When the longest gap ended.
        var gapEnd: ContinuousClock.Instant?
    }

    private let client: JobboardClient
    private let state = Mutex(Reading())

    init(client: JobboardClient) {
        self.client = client
    }

    var reading: Reading { state.withLock { $0 } }

    /// Until the task is cancelled.
    func run() async {
        var last: ContinuousClock.Instant?
        while !Task.isCancelled {
            if (try? await client.post(NewJob(name: "probe"), board: Self.board)) != nil {
                let now = ContinuousClock.now
                note(gap: last.map { now - $0 } ?? .zero, now)
                last = now
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func note(gap: Duration, _ now: ContinuousClock.Instant) {
        state.withLock { reading in
            reading.acknowledged += 1
            guard gap > reading.longestGap else { return }
            reading.longestGap = gap
            reading.gapEnd = now
        }
    }
}
