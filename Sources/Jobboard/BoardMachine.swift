/// The replicated state of all boards and of the session table: commands in, outcomes and events out.
///
/// Deterministic and total: two machines that got the same blocks are equal (`fingerprint`), whatever was in them. A command
/// is refused before anything has changed, or carried out whole. Time is what the leader stamped into the block.
///
/// A job's life:
///
///     post → UNCLAIMED (waiting for notBefore, then ready) → CLAIMED → consume → COMPLETE
///                ↑    ↓ expiry                                 ↓
///                │  TRASHED ← abandon, too many failures ──────┤
///                └─────────── abandon, or the lease ends ──────┘
package struct BoardMachine: Sendable {
    package let limits: BoardLimits
    /// The time of the log: the latest stamp of a block so far.
    package internal(set) var now = Timestamp(milliseconds: 0)
    /// The position of the last event; the first one has 1.
    package internal(set) var lastPosition: UInt64 = 0
    /// The last fence given, on any board.
    var lastFence: UInt64 = 0

    var slots = JobSlots()
    var ids = SplitMap()
    var completed = CompletedMemory()
    /// By index, with vacant ones. Indexes are private to a process: they must never reach an effect or an order.
    var boards = Pages<Board>()
    /// The indexes of vacant boards.
    var freeBoards: [Int32] = []
    /// Jobs that were consumed on boards that were dropped since.
    var completeElsewhere = 0
    var boardIndexes: [String: Int32] = [:]
    var keys = KeyMap()
    /// Five for each board, one a priority; see `lane(of:)`.
    var lanes = Pages<Lane>()
    var totals = StateCounts()
    /// What all jobs count for (`StateCost`), on boards, in the trash and remembered.
    var jobBytes = 0
    var timers = Timers()
    var sessions = SessionTable()
    /// Of jobs that became ready in the current block; see `newlyReady`. Not part of the replicated state.
    var newlyReadySlots: [Int32] = []
    /// Boards whose index of names is still being built. Which they are at a moment is this node's own business.
    var unbuiltNames: [Int32] = []

    package init(limits: BoardLimits = BoardLimits()) {
        self.limits = limits
    }

    /// Starts a block of the log: the clock moves (never back), and what is due happens, at most `timersPerBlock` of it.
    package mutating func beginBlock(at time: Timestamp, events: inout [Event]) {
        now = max(now, time)
        forgetNewlyReady()
        fireTimers(into: &events)
    }

    /// Carries out one command at the time of the block. Refused commands change nothing but the session's bookkeeping.
    ///
    /// `isChecked`: `precheck` or `validate` of a machine with the same limits has found nothing wrong with the command, so
    /// that its texts need not be read again.
    package mutating func apply(_ call: SessionCommand, isChecked: Bool = false, events: inout [Event]) -> Outcome {
        let outcome: Outcome
        if case .openSession(let key, let ttl) = call.command {
            outcome = openSession(key, ttlMilliseconds: ttl, call)
        } else if let slot = sessions.slot(of: call.session) {
            outcome = applyInSession(call, slot, isChecked: isChecked, events: &events)
        } else {
            outcome = .refused(Self.sessionExpired(call.session))
        }
        settleTimers()
        return outcome
    }

    private mutating func applyInSession(
        _ call: SessionCommand, _ slot: Int32, isChecked: Bool, events: inout [Event]
    ) -> Outcome {
        sessions.touch(slot, now: now)
        switch sessions.admission(slot, call) {
        case .answered(let retained):
            if call.acknowledgedBelow <= call.sequence { sessions.acknowledge(slot, below: call.acknowledgedBelow) }
            return answer(retained, again: call.command)
        case .refused(let error):
            if call.acknowledgedBelow <= call.sequence { sessions.acknowledge(slot, below: call.acknowledgedBelow) }
            return .refused(error)
        case .new: break
        }
        sessions.acknowledge(slot, below: call.acknowledgedBelow)
        if case .closeSession = call.command {
            closeSession(slot)
            return .sessionClosed
        }
        let outcome: Outcome
        do throws(JobboardError) {
            outcome = try perform(call.command, isChecked: isChecked, events: &events)
        } catch {
            outcome = .refused(error)
        }
        // A claim that found nothing did nothing: its retry, or the same one parked for a while, may find something.
        guard let retained = RetainedOutcome(outcome) else { return outcome }
        if !sessions[slot].hasActed, !retained.isRefusal { sessions[slot].hasActed = true }
        sessions.keep(retained, sequence: call.sequence, in: slot, limits)
        return outcome
    }

    /// Each rule throws before its first change, or not at all.
    private mutating func perform(
        _ command: Command, isChecked: Bool, events: inout [Event]
    ) throws(JobboardError) -> Outcome {
        if !isChecked { try check(command) }
        switch command {
        case .openSession, .closeSession:
            preconditionFailure("session commands are carried out by the session table")
        case .post(let board, let jobs):
            return try post(jobs, on: board, events: &events)
        case .claim(let id, let who, let lease):
            let slot = try claimable(id)
            return .claimed([take(slot, who: who, leaseMilliseconds: lease, events: &events)])
        case .claimNext(let want):
            return .claimed(claimNext(want, events: &events))
        case .extend(let holder, let lease):
            return .changed(extend(try held(holder), leaseMilliseconds: lease, events: &events))
        case .abandon(let holder, let delay, let failure):
            return .changed(abandon(try held(holder), delayMilliseconds: delay, failure: failure, events: &events))
        case .consume(let holder, let result, let followUps):
            return .changed(try consume(try held(holder), result: result, followUps: followUps, events: &events))
        }
    }

    /// Gives the next position to an event of a job, as the job stands.
    mutating func emit(
        _ kind: EventKind, _ slot: Int32, owner: String? = nil, fence: UInt64? = nil, failure: String? = nil,
        into events: inout [Event]
    ) {
        lastPosition += 1
        events.append(
            Event(
                position: lastPosition, kind: kind, time: now, board: slots[slot].job.board, job: slots[slot].job.id,
                name: slots[slot].job.name, owner: owner, fence: fence, failure: failure))
    }
}
