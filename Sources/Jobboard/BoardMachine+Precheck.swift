extension BoardMachine {
    /// What a command would answer if it would have no effect: a refusal, an outcome given before, jobs that were posted
    /// before, nothing to claim. nil if it would have an effect and must go through the log.
    ///
    /// When it is not nil, `apply` on the same state gives the same outcome, no event, and changes nothing but the session's
    /// bookkeeping. So a leader whose applied state is fresh can answer with it and spare the log the entry.
    package func precheck(_ call: SessionCommand) -> Outcome? {
        if case .openSession(let key, _) = call.command {
            if let error = refusalToOpen(call) { return .refused(error) }
            return sessions.slot(of: key).map { .sessionOpened(sessions[$0].id) }
        }
        guard let slot = sessions.slot(of: call.session) else { return .refused(Self.sessionExpired(call.session)) }
        if let outcome = answeredBefore(call, slot) { return outcome }
        do throws(JobboardError) {
            return try effectless(call.command)
        } catch {
            return .refused(error)
        }
    }

    /// What a copy of a command is answered that was carried out before, or was acknowledged; nil when it is new here.
    package func answeredBefore(_ call: SessionCommand) -> Outcome? {
        sessions.slot(of: call.session).flatMap { answeredBefore(call, $0) }
    }

    private func answeredBefore(_ call: SessionCommand, _ slot: Int32) -> Outcome? {
        switch sessions.admission(slot, call) {
        case .new: nil
        case .answered(let retained): answer(retained, again: call.command)
        case .refused(let error): .refused(error)
        }
    }

    private func effectless(_ command: Command) throws(JobboardError) -> Outcome? {
        try check(command)
        switch command {
        case .openSession, .closeSession: break
        case .post(let board, let jobs): return try effectlessPost(jobs, on: board)
        case .claim(let id, _, _): _ = try claimable(id)
        case .claimNext(let want): return mayClaim(want) ? nil : .claimed([])
        case .extend(let holder, _), .abandon(let holder, _, _): _ = try held(holder)
        case .consume(let holder, _, let followUps):
            let slot = try held(holder)
            _ = try plan(followUps, on: slots[slot].job.board, leaving: slot)
        }
        return nil
    }
}
