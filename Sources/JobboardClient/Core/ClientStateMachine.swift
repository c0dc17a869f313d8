import DequeModule
package import Jobboard

/// The client without its sockets: which node to talk to, which calls are open, what to send again and when to give up.
///
/// A pure value. The shell tells it what happened and what time it is, and carries out the `Actions` it fills in.
/// `Waiter` is whatever the shell needs to hand a reply to its caller.
package struct ClientStateMachine<Waiter>: ~Copyable {
    /// Limits and habits. Times are in nanoseconds.
    package struct Configuration: Sendable {
        package var sessionMilliseconds: UInt32 = 60_000
        /// Requests sent and not answered, waits not counted.
        package var maximumOnWire = 1024
        /// Calls in all; past it the answer is `overloaded`.
        package var maximumCalls = 65_536
        /// How long a node may take to greet.
        package var greeting: Int64 = .milliseconds(1000)
        /// A node that owes an answer and says nothing for this long is given up.
        package var silence: Int64 = .milliseconds(2000)
        /// A node that answers, but without a quorum behind it, is given up after this long.
        package var patience: Int64 = .milliseconds(200)
        /// The longest wait asked of a server at once; a longer one is asked for in slices, which shows that the node lives.
        package var waitSlice: Int64 = .milliseconds(10_000)
        /// How long the client cares for a claim whose caller has gone.
        package var orphanage: Int64 = .milliseconds(5000)
        /// How long closing may take for the sake of claims that must be given back.
        package var farewell: Int64 = .milliseconds(1000)
        /// Moves to the node that is said to lead; else stays where it is.
        package var followsLeader = true
        /// The cluster's name; empty when any will do.
        package var cluster = ""

        package init() {}
    }

    /// The one connection in use, and where it can go from each state.
    enum Connection {
        /// Nobody wants anything. → connecting
        case idle
        /// Waits for TCP. → greeting | connecting (the next node) | backingOff
        case connecting(String)
        /// Waits for the node's hello. → ready | connecting | backingOff
        case greeting(String, until: Moment)
        /// Requests may go. → connecting | backingOff | idle
        case ready(String, Health)
        /// Waits before the next attempt. → connecting | idle
        case backingOff(until: Moment)
        /// For good.
        case closed
    }

    /// How a node in use does. A reference, so that looking at it does not copy it.
    final class Health {
        /// No requests before this moment: it asked for time.
        var hold: Moment?
        /// Since when it answers without being able to do its work.
        var troubledSince: Moment?
        /// By when something must be heard from it; nil when it owes nothing.
        var answerDue: Moment?
        /// Where it sends us.
        var move: String?
        /// The term that it leads; 0 when it does not.
        var term: UInt64

        init(term: UInt64, move: String? = nil) {
            self.term = term
            self.move = move
        }
    }

    let configuration: Configuration
    var state = Connection.idle
    /// The connection in use or being made; 0 before the first.
    var connection: UInt64 = 0
    var directory: NodeDirectory
    var backoff: Backoff
    /// Attempts to connect that failed since something last worked.
    var failures = 0
    /// Hints followed since something last worked.
    var redirects = 0
    /// What went wrong last, for messages.
    var trouble = "no node was reached yet"

    var calls = CallTable<Waiter>()
    /// Calls to be sent, by number. An entry whose call has ended is skipped.
    var queue: Deque<UInt64> = []
    var lanes = [SessionLane(), SessionLane()]
    /// The number of the next session; none is used twice.
    var nextSession: UInt64 = 1
    /// Draws the token of a session: random, and not to be guessed.
    let newToken: @Sendable () -> SessionToken
    /// Calls that can be cancelled, by ticket. Only looked up, never walked.
    var tickets: [UInt64: UInt64] = [:]
    var nextOrder: UInt64 = 1
    /// Calls on the wire that the node should answer at once, and those that it may park.
    var promptOnWire = 0
    var waitingOnWire = 0
    /// No call has a deadline before this; it may be too early.
    var earliestDeadline = Moment.never
    /// Closing: no new calls, and at this moment it is over.
    var closingUntil: Moment?

    package init(
        nodes: [String], configuration: Configuration, seed: UInt64,
        newToken: @escaping @Sendable () -> SessionToken
    ) {
        self.newToken = newToken
        self.configuration = configuration
        var random = SplitMix(state: seed)
        directory = NodeDirectory(nodes: nodes, start: Int(random.next() >> 33))
        backoff = Backoff(seed: random.next())
    }

    /// The node in use, once it has greeted.
    package var currentNode: String? {
        if case .ready(let node, _) = state { node } else { nil }
    }

    /// When to call `wakeUp` at the latest.
    package var nextWakeup: Moment {
        var moment = min(earliestDeadline, closingUntil ?? .never)
        switch state {
        case .idle, .connecting, .closed: break
        case .greeting(_, let until), .backingOff(let until): moment = min(moment, until)
        case .ready(_, let health):
            moment = min(moment, health.hold ?? .never, health.answerDue ?? .never)
        }
        return moment
    }
}
