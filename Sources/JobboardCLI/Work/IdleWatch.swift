import ServiceLifecycle
import Synchronization

/// Ends when no job was in hand for a while.
final class IdleWatch: Service {
    private struct State {
        var inHand = 0
        var since = ContinuousClock.now
    }

    private let state = Mutex(State())
    private let limit: Duration

    init(limit: Duration) {
        self.limit = limit
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
        await cancelWhenGracefulShutdown { [self] in
            while deadline > .now {
                do { try await Task.sleep(until: deadline) } catch { return }
            }
        }
    }
}
