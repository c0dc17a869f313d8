/// Resumes the task that waits for a call's reply, which must happen once.
///
/// Debug builds, and so all tests, check that; each checked one allocates, and a call has no other use for it.
#if DEBUG
    typealias CallContinuation = CheckedContinuation<Reply, Never>

    func withCallContinuation(
        isolation: isolated (any Actor)? = #isolation, _ body: (CallContinuation) -> Void
    ) async -> Reply {
        await withCheckedContinuation(isolation: isolation) { body($0) }
    }
#else
    typealias CallContinuation = UnsafeContinuation<Reply, Never>

    func withCallContinuation(
        isolation: isolated (any Actor)? = #isolation, _ body: (CallContinuation) -> Void
    ) async -> Reply {
        await withUnsafeContinuation(isolation: isolation) { body($0) }
    }
#endif
