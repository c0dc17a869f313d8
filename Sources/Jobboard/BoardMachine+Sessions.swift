extension BoardMachine {
    static func sessionExpired(_ id: UInt64) -> JobboardError {
        JobboardError(.sessionExpired, "session \(id) is gone; open a new one")
    }

    /// Checks of `openSession` that precheck and apply share.
    func refusalToOpen(_ call: SessionCommand) -> JobboardError? {
        if call.session != 0 {
            return JobboardError(.invalidArgument, "a session can't be opened under another session")
        }
        if let error = validate(call.command) { return error }
        guard case .openSession(let key, _) = call.command else { return nil }
        guard sessions.slot(of: key) != nil || sessions.count < limits.sessions else {
            return JobboardError(.overloaded, "the cluster has \(sessions.count) sessions, its most; try again later")
        }
        return nil
    }

    /// A full table takes no newcomers: whoever has a session keeps it.
    mutating func openSession(_ key: SessionKey, ttlMilliseconds: UInt32, _ call: SessionCommand) -> Outcome {
        if let error = refusalToOpen(call) { return .refused(error) }
        if let slot = sessions.slot(of: key) {
            sessions.touch(slot, now: now)
            return .sessionOpened(sessions[slot].id)
        }
        let slot = sessions.open(key, ttlMilliseconds: ttlMilliseconds, now: now)
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

    /// The number of the session with that key.
    package func session(with key: SessionKey) -> UInt64? { sessions.slot(of: key).map { sessions[$0].id } }

    package func hasSession(_ id: UInt64) -> Bool { sessions.slot(of: id) != nil }

    /// Live sessions.
    package var sessionCount: Int { sessions.count }
}
