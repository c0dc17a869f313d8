import ServiceLifecycle
import Synchronization

/// Ends when no job was in hand for a while, and the cluster answers: silence alone may mean that no node is there.
final class IdleWatch: Service {
    private struct State {
        var inHand = 0
        var since = ContinuousClock.now
    }

    private let state = Mutex(State())
    private let limit: Duration
    /// Throws when the cluster does not answer.
    private let probe: @Sendable () async throws -> Void

    init(limit: Duration, probe: @escaping @Sendable () async throws -> Void) {
        self.limit = limit
        self.probe = probe
    }

    func began() {
        state.withLock { $0.inHand += 1 }
    }

    func ended() {
        state.withLock { state in
            state.inHand -= 1
            state.since = .now
        }
    }

    /// When nothing will have happened for long enough, unless something does.
    private var deadline: ContinuousClock.Instant {
        state.withLock { ($0.inHand > 0 ? .now : $0.since) + limit }
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown { [self] in
            repeat {
                while deadline > .now {
                    do { try await Task.sleep(until: deadline) } catch { return }
                }
                try await probe()
                // A job may have come meanwhile.
            } while deadline > .now
        }
    }
}
