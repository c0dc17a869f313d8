package import DequeModule
package import Jobboard

/// One session of the cluster as its client sees it: opened when first needed, it numbers commands so that a retry is
/// recognised, and knows up to where all answers have come in.
///
/// A client has two lanes. A claim that waits at the server leaves its number unanswered for seconds, and all answers after it
/// must be remembered by the cluster meanwhile; in a lane of their own such claims don't hold up anybody else's numbers.
package struct SessionLane: Sendable {
    package enum Name: Int, Sendable, CaseIterable {
        /// Commands that are answered at once.
        case prompt = 0
        /// Claims that wait for a job.
        case waiting = 1
    }

    /// A command's identity: the same one means the same effect and the same answer.
    package struct Identity: Hashable, Sendable {
        /// The session's number on this client's connections.
        package var session: UInt64
        package var sequence: UInt64
    }

    package enum State: Hashable, Sendable {
        /// No session. → opening
        case none
        /// Asked for one under this number. → open | none
        case opening(session: UInt64)
        /// Commands may go. → none, when the cluster no longer knows it.
        case open(session: UInt64)
    }

    /// At most so many numbers between the first unanswered one and the newest.
    package static let window: UInt64 = 4096

    package private(set) var state = State.none
    /// What proves to nodes that the session is ours.
    package private(set) var token = SessionToken(high: 0, low: 0)
    /// The lowest sequence number without an answer.
    package private(set) var acknowledgedBelow: UInt64 = 1
    /// Calls that can be sent once the session stands or the window moves.
    package var parked: Deque<UInt64> = []
    private var nextSequence: UInt64 = 1
    /// For each number from `acknowledgedBelow` on: whether its answer came.
    private var answered: Deque<Bool> = []

    package init() {}

    /// A session is to be opened; `session`: a number that no session of this client had before.
    package mutating func opening(session: UInt64, token: SessionToken) {
        precondition(state == State.none, "a session is opened twice")
        state = .opening(session: session)
        self.token = token
    }

    package mutating func opened() {
        guard case .opening(let session) = state else { preconditionFailure("a session nobody asked for") }
        state = .open(session: session)
        acknowledgedBelow = 1
        nextSequence = 1
        answered.removeAll()
    }

    /// The session could not be opened.
    package mutating func notOpened() {
        guard case .opening = state else { preconditionFailure("no session was being opened") }
        state = .none
    }

    /// The cluster no longer knows that session. True when it was the current one.
    @discardableResult
    package mutating func lost(session: UInt64) -> Bool {
        guard state == .open(session: session) else { return false }
        state = .none
        return true
    }

    /// How many new commands could be numbered now.
    package var room: Int {
        guard case .open = state else { return 0 }
        return Int(Self.window - (nextSequence - acknowledgedBelow))
    }

    /// The identity of a new command; nil when there is no session or the window is full.
    package mutating func identify() -> Identity? {
        guard case .open(let session) = state, room > 0 else { return nil }
        defer { nextSequence += 1 }
        answered.append(false)
        return Identity(session: session, sequence: nextSequence)
    }

    /// What a command with that identity may say about the answers we have. Of an earlier session we only know
    /// that saying less is safe.
    package func acknowledgedBelow(for identity: Identity) -> UInt64 {
        state == .open(session: identity.session) ? acknowledgedBelow : 1
    }

    /// The answer came, or nobody waits for it any more.
    package mutating func settled(_ identity: Identity) {
        guard state == .open(session: identity.session), identity.sequence >= acknowledgedBelow else { return }
        answered[Int(identity.sequence - acknowledgedBelow)] = true
        while answered.first == true {
            answered.removeFirst()
            acknowledgedBelow += 1
        }
    }
}
