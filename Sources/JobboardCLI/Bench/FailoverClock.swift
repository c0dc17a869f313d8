import Synchronization

/// Keeps the longest time without an acknowledgement, from one moment to another.
final class FailoverClock: Sendable {
    private struct State {
        var last: ContinuousClock.Instant
        var longest: Duration = .zero
        var acknowledged = 0
    }

    private let state: Mutex<State>

    init(now: ContinuousClock.Instant = .now) {
        state = Mutex(State(last: now))
    }

    /// Something was acknowledged.
    func tick(now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            state.longest = max(state.longest, now - state.last)
            state.last = max(state.last, now)
            state.acknowledged += 1
        }
    }

    var acknowledged: Int { state.withLock { $0.acknowledged } }

    /// From now on: what went before is forgotten, but for when the last acknowledgement came.
    func begin() {
        state.withLock { $0.longest = .zero }
    }

    /// The longest time since `begin`; one that has not ended counts too.
    func longest(now: ContinuousClock.Instant = .now) -> Duration {
        state.withLock { max($0.longest, now - $0.last) }
    }
}
