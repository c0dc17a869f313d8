import DequeModule
package import Jobboard

/// Which requests this leader has answered, in its term, without an effect: refusals, claims that got nothing or were
/// cancelled, posts of what was there already.
///
/// The log does not know: such an answer costs no entry, so the session table does not keep it. But a copy of the same
/// request that comes late, over a connection that was given up, must not be carried out for a client that was told that
/// nothing happened. Other leaders need not know, since a copy is addressed to one term (`AddressedTerm`).
///
/// Bounded: when all sessions together have too many numbers, the largest lose their lowest. What is lost is below the
/// session's floor, and a request below the floor that is not known is never carried out.
package struct EffectlessAnswers: Sendable {
    /// As much of an answer as is kept.
    package enum Answer: Sendable, Equatable {
        /// A claim of the next job got nothing.
        case nothing
        case refused(JobboardError.Code)
        /// All jobs of a post were there before.
        case posted

        /// nil for an answer that the session table keeps, or that no copy can contradict.
        init?(_ outcome: Outcome) {
            switch outcome {
            case .claimed(let jobs) where jobs.isEmpty: self = .nothing
            case .posted(_, let duplicates) where duplicates.allSatisfy(\.self): self = .posted
            case .refused(let error) where error.code != .sessionExpired: self = .refused(error.code)
            case .sessionOpened, .sessionClosed, .posted, .claimed, .changed, .refused: return nil
            }
        }
    }

    package enum Verdict: Sendable, Equatable {
        /// Nothing is known of it: it may be carried out.
        case new
        case answered(Answer)
        /// It was acknowledged, or its answer is forgotten: it must not be carried out.
        case forgotten
    }

    private struct Session: Sendable {
        /// The client has the answers below it.
        var acknowledged: UInt64 = 0
        /// Numbers below it are not carried out: what was answered under them is not known any more.
        var floor: UInt64 = 0
        /// In order of their numbers.
        var answered: Deque<(sequence: UInt64, answer: Answer)> = []

        func place(of sequence: UInt64) -> Int {
            guard let last = answered.last, last.sequence >= sequence else { return answered.count }
            var (low, high) = (0, answered.count)
            while low < high {
                let middle = (low + high) / 2
                if answered[middle].sequence < sequence { low = middle + 1 } else { high = middle }
            }
            return low
        }

        mutating func acknowledge(below sequence: UInt64) {
            acknowledged = max(acknowledged, sequence)
            forget(below: sequence)
        }

        mutating func forget(below sequence: UInt64) {
            floor = max(floor, sequence)
            while let first = answered.first, first.sequence < floor { answered.removeFirst() }
        }

        mutating func keep(atMost count: Int) {
            if answered.count > count { forget(below: answered[answered.count - count - 1].sequence + 1) }
        }
    }

    /// Numbers of one session, at most: as many as a client may leave unanswered.
    static let window = 4096

    // Only looked up, but for what is done to each alike.
    private var sessions: [UInt64: Session] = [:]
    /// Numbers of all sessions together.
    package private(set) var count = 0
    /// Of each session at the moment, at most.
    private var share = window
    /// With so many sessions, those that have ended are forgotten.
    private var sweepsAt = 1024

    package init() {}

    var isEmpty: Bool { sessions.isEmpty }

    /// The request is answered without an effect. `limit`: of all numbers.
    package mutating func add(_ call: SessionCommand, _ outcome: Outcome, limit: Int) {
        guard call.session != 0, let answer = Answer(outcome) else { return }
        if share < Self.window, count < limit / 4 { share = max(1, 2 * share) }
        change(call.session) { session in
            session.acknowledge(below: call.acknowledgedBelow)
            guard call.sequence >= session.floor else { return }
            let place = session.place(of: call.sequence)
            if place < session.answered.count, session.answered[place].sequence == call.sequence { return }
            session.answered.insert((call.sequence, answer), at: place)
        }
        keepShare(of: call.session)
        while count > limit, share > 0 {
            share /= 2
            for session in sessions.keys { keepShare(of: session) }
        }
    }

    /// What is known of a request. What its client has acknowledged with it is forgotten.
    ///
    /// `waited`: it was found new before and has waited unanswered since. Then numbers that were forgotten meanwhile for want
    /// of room say nothing about it.
    package mutating func verdict(on call: SessionCommand, waited: Bool = false) -> Verdict {
        guard let session = sessions[call.session] else { return .new }
        let place = session.place(of: call.sequence)
        if place < session.answered.count, session.answered[place].sequence == call.sequence {
            return .answered(session.answered[place].answer)
        }
        guard call.sequence >= (waited ? session.acknowledged : session.floor) else { return .forgotten }
        if call.acknowledgedBelow > session.floor, call.acknowledgedBelow <= call.sequence {
            change(call.session) { $0.acknowledge(below: call.acknowledgedBelow) }
        }
        return .new
    }

    mutating func removeAll() { self = EffectlessAnswers() }

    func checkInvariants(limit: Int) {
        precondition(sessions.values.reduce(0) { $0 + $1.answered.count } == count, "the count of numbers differs from a recount")
        precondition(count <= limit, "too many numbers are remembered")
    }

    private mutating func change(_ id: UInt64, _ body: (inout Session) -> Void) {
        var session = sessions[id] ?? Session()
        let before = session.answered.count
        // So that it is changed in its place.
        sessions[id] = nil
        body(&session)
        count += session.answered.count - before
        sessions[id] = session
    }

    private mutating func keepShare(of session: UInt64) {
        let share = share
        if sessions[session].map({ $0.answered.count > share }) ?? false { change(session) { $0.keep(atMost: share) } }
    }

    /// There may be many sessions that have ended.
    var mustSweep: Bool { sessions.count >= sweepsAt }

    mutating func forgetEnded(in machine: borrowing BoardMachine) {
        for (id, session) in sessions where !machine.hasSession(id) {
            count -= session.answered.count
            sessions[id] = nil
        }
        sweepsAt = max(1024, 2 * sessions.count)
    }
}

extension Engine {
    /// A request has no effect and is answered so: this is remembered, and the answer goes out when it is sure that this node
    /// leads. Where an earlier copy may be under way, its outcome comes first.
    mutating func answerWithoutEffect(_ write: Write, _ outcome: Outcome, _ effects: inout [EngineEffect]) {
        countRefusal(outcome, of: write.call.command)
        remember(outcome, of: write.call)
        takeSettled(write, outcome, &effects)
    }

    mutating func remember(_ outcome: Outcome, of call: SessionCommand) {
        if effectless.mustSweep { effectless.forgetEnded(in: state.machine) }
        effectless.add(call, outcome, limit: settings.effectlessAnswers)
    }

    private mutating func takeSettled(_ write: Write, _ outcome: Outcome, _ effects: inout [EngineEffect]) {
        guard write.isRepeated, waiting.begun > batchesDone else {
            return takeRead(.settled(outcome), write.client, &effects)
        }
        var call = write.call
        call.command.dropBodies()
        takeRead(.repeated(SettledRepeat(outcome: outcome, call: call, after: waiting.begun)), write.client, &effects)
    }

    /// Answers what must not be carried out, since it was answered before; false when it may be. Asked when the log knows
    /// nothing of the request.
    mutating func answeredWithoutEffect(_ write: Write, waited: Bool, _ effects: inout [EngineEffect]) -> Bool {
        guard !effectless.isEmpty else { return false }
        let outcome: Outcome
        switch effectless.verdict(on: write.call, waited: waited) {
        case .new: return false
        case .answered(.nothing): outcome = .claimed([])
        case .answered(.refused(let code)):
            outcome = .refused(JobboardError(code, "an earlier copy of this request was refused so"))
        case .answered(.posted), .forgotten: outcome = .refused(SessionCommand.acknowledgedBefore(write.call.sequence))
        }
        takeSettled(write, outcome, &effects)
        return true
    }

    /// The last word on a repeated request that has no effect: what an earlier copy came to, if there was one.
    func lastWord(on settled: SettledRepeat) -> Outcome { state.machine.answeredBefore(settled.call) ?? settled.outcome }
}

/// The answer to a repeated request, of which an earlier copy may be under way.
struct SettledRepeat: Sendable {
    let outcome: Outcome
    let call: SessionCommand
    /// The last batch that may hold an earlier copy.
    let after: UInt64
}

extension Command {
    /// Leaves out what an answer given again does not need.
    fileprivate mutating func dropBodies() {
        switch self {
        case .post(let board, _): self = .post(board: board, jobs: [])
        case .consume(let holder, _, _): self = .consume(holder, result: nil, followUps: [])
        case .openSession, .closeSession, .claim, .claimNext, .extend, .abandon: break
        }
    }
}
