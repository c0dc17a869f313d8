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
        /// The longest one of those that ended after the leader was killed.
        var gapAfterKill: Duration = .zero
    }

    private let client: JobboardClient
    private struct State {
        var reading = Reading()
        var isKilled = false
    }

    private let state = Mutex(State())

    init(client: JobboardClient) {
        self.client = client
    }

    var reading: Reading { state.withLock { $0.reading } }

    /// The leader is gone from now on.
    func leaderWasKilled() {
        state.withLock { $0.isKilled = true }
    }

    /// Until the task is cancelled.
    func run() async {
        var last: ContinuousClock.Instant?
        while !Task.isCancelled {
            if (try? await client.post(NewJob(name: "probe"), board: Self.board)) != nil {
                let now = ContinuousClock.now
                if let last { note(gap: now - last) }
                last = now
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func note(gap: Duration) {
        state.withLock { state in
            state.reading.acknowledged += 1
            state.reading.longestGap = max(state.reading.longestGap, gap)
            if state.isKilled { state.reading.gapAfterKill = max(state.reading.gapAfterKill, gap) }
        }
    }
}
