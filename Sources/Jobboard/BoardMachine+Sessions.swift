extension BoardMachine {
    static func sessionExpired(_ id: UInt64) -> JobboardError {
        JobboardError(.sessionExpired, "session \(id) is gone; open a new one")
    }

    /// Checks of `openSession` that precheck and apply share.
    func refusalToOpen(_ call: SessionCommand) -> JobboardError? {
        if call.session != 0 {
            return JobboardError(.invalidArgument, "a session can't be opened under another session")
        }
        return validate(call.command)
    }

    /// Past the bound the session that was silent longest goes.
    mutating func openSession(ttlMilliseconds: UInt32, _ call: SessionCommand) -> Outcome {
        if let error = refusalToOpen(call) { return .refused(error) }
        if sessions.count >= limits.sessions { closeSession(sessions.oldest) }
        let slot = sessions.open(ttlMilliseconds: ttlMilliseconds, now: now)
        let deadline = sessions[slot].deadline.milliseconds
        sessions[slot].armed = deadline
        timers.insert(Timer(deadline: deadline, kind: .session, position: sessions[slot].id, slot: slot))
        return .sessionOpened(sessions[slot].id)
    }

    mutating func closeSession(_ slot: Int32) {
        if sessions[slot].armed != Timer.none { timers.becameStale(1) }
        sessions.close(slot)
        compactTimersIfNeeded()
    }

    /// When a session ends if no command comes under it; nil when there is no such session.
    package func sessionDeadline(_ id: UInt64) -> Timestamp? {
        sessions.slot(of: id).map { sessions[$0].deadline }
    }

    /// Live sessions.
    package var sessionCount: Int { sessions.count }
}
