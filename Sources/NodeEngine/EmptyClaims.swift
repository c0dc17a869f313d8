import DequeModule
import Jobboard

/// Which claims of the next job this leader has answered with nothing.
///
/// The log does not know: such an answer costs no entry, so the session table does not keep it. But a copy of the same
/// request that comes late, over a connection that was given up, must not claim a job for somebody who believes that he got
/// none. The next leader does not know either; until the session's next command with an effect, a copy that reaches it may
/// claim, and its job comes back when the lease ends.
///
/// Bounded: sessions that have not claimed for longest are forgotten first.
struct EmptyClaims: Sendable {
    /// Two generations of so many sessions are remembered.
    static let generation = 16_384
    /// Numbers of all sessions of one generation.
    static let numbers = 262_144
    /// Numbers of one session; as many as a client may leave unanswered.
    static let window = 4096

    private struct Session: Sendable {
        var acknowledgedBelow: UInt64
        /// Sequence numbers, in order.
        var answered: Deque<UInt64> = []

        func place(of sequence: UInt64) -> Int {
            guard let last = answered.last, last >= sequence else { return answered.count }
            var (low, high) = (0, answered.count)
            while low < high {
                let middle = (low + high) / 2
                if answered[middle] < sequence { low = middle + 1 } else { high = middle }
            }
            return low
        }

        mutating func acknowledge(below sequence: UInt64) {
            acknowledgedBelow = max(acknowledgedBelow, sequence)
            while let first = answered.first, first < acknowledgedBelow { answered.removeFirst() }
        }
    }

    // Only looked up, never walked.
    private var recent: [UInt64: Session] = [:]
    private var older: [UInt64: Session] = [:]
    /// Numbers in `recent`, at most.
    private var recentNumbers = 0

    var isEmpty: Bool { recent.isEmpty && older.isEmpty }

    /// This request, a claim of the next job, is answered with nothing.
    mutating func add(_ call: SessionCommand) {
        guard call.session != 0 else { return }
        var session = take(call.session) ?? Session(acknowledgedBelow: 0)
        session.acknowledge(below: call.acknowledgedBelow)
        let place = session.place(of: call.sequence)
        if call.sequence >= session.acknowledgedBelow, place == session.answered.count || session.answered[place] != call.sequence
        {
            session.answered.insert(call.sequence, at: place)
        }
        if session.answered.count > Self.window { session.acknowledge(below: session.answered[0] + 1) }
        put(session, call.session)
    }

    /// What a copy of a request that was answered with nothing is answered; nil when it is none.
    mutating func answer(to call: SessionCommand) -> Outcome? {
        guard !isEmpty, call.acknowledgedBelow <= call.sequence, let session = recent[call.session] ?? older[call.session] else {
            return nil
        }
        if call.acknowledgedBelow > session.acknowledgedBelow {
            var later = session
            later.acknowledge(below: call.acknowledgedBelow)
            _ = take(call.session)
            put(later, call.session)
        }
        let place = session.place(of: call.sequence)
        if place < session.answered.count, session.answered[place] == call.sequence { return .claimed([]) }
        return call.sequence < session.acknowledgedBelow ? .refused(SessionCommand.acknowledgedBefore(call.sequence)) : nil
    }

    mutating func removeAll() { self = EmptyClaims() }

    private mutating func put(_ session: Session, _ id: UInt64) {
        if recent.count >= Self.generation || recentNumbers >= Self.numbers {
            (older, recent, recentNumbers) = (recent, [:], 0)
        }
        recentNumbers += session.answered.count
        recent[id] = session
    }

    private mutating func take(_ id: UInt64) -> Session? {
        if let session = recent.removeValue(forKey: id) {
            recentNumbers -= session.answered.count
            return session
        }
        return older.removeValue(forKey: id)
    }
}
