import Synchronization

/// The longest time without an acknowledged write while a majority was connected.
final class ProgressMeter: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Reading: Sendable, Equatable {
        var longest: Duration = .zero
        /// When the longest one ended.
        var endedAt: Instant?
    }

    private struct State {
        var lastAcknowledged: Instant
        /// Nil while there is no connected majority.
        var connectedSince: Instant?
        var reading = Reading()
        var isOver = false

        mutating func measure(until now: Instant) {
            guard let connectedSince else { return }
            let gap = now - max(connectedSince, lastAcknowledged)
            if gap > reading.longest { reading = Reading(longest: gap, endedAt: now) }
        }
    }

    private let state: Mutex<State>

    init(now: Instant = .now) {
        state = Mutex(State(lastAcknowledged: now))
    }

    var reading: Reading { state.withLock { $0.reading } }

    /// A write was acknowledged to some client.
    func acknowledged(now: Instant = .now) {
        state.withLock { state in
            state.measure(until: now)
            state.lastAcknowledged = max(state.lastAcknowledged, now)
        }
    }

    /// No clients ask for anything from now on.
    func end(now: Instant = .now) {
        connected(false, now: now)
        state.withLock { $0.isOver = true }
    }

    /// True when no clients are to ask for anything any more.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Whether there is a majority of nodes that run and reach each other, from now on.
    func connected(_ isConnected: Bool, now: Instant = .now) {
        state.withLock { state in
            guard !state.isOver, isConnected != (state.connectedSince != nil) else { return }
            state.measure(until: now)
            state.connectedSince = isConnected ? now : nil
        }
    }
}
