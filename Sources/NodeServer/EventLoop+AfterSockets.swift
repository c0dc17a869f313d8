import NIOCore

extension EventLoop {
    /// Runs something once the loop has looked at its sockets. What is given to `execute` runs before that, and so does what
    /// it gives to `execute` in turn: a chain of such tasks is a loop that hears nobody. A timer that is not due yet ends it.
    func executeAfterSockets(_ body: @escaping @Sendable () -> Void) {
        scheduleTask(in: .milliseconds(1), body)
    }
}
