package import WireFormat

/// What the shell is to do, in this order: send, close, connect, complete.
package struct Actions<Waiter> {
    package struct Connect: Hashable, Sendable {
        package var node: String
        /// Names the connection; what happens on any other is old news.
        package var connection: UInt64
    }

    package struct Send {
        package var number: UInt64
        package var request: Request
    }

    package struct Completion {
        package var waiter: Waiter
        package var reply: Reply
    }

    /// Requests for the connection in use, to be flushed once.
    package var sends: [Send] = []
    /// Connections to close.
    package var closes: [UInt64] = []
    package var connect: Connect?
    package var completions: [Completion] = []
    /// The state machine is closed and has nothing left to do.
    package var finished = false

    package init() {}
}
