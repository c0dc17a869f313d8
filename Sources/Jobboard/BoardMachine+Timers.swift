extension BoardMachine {
    /// What the timer at the top of the heap amounts to.
    private enum TimerStatus {
        /// Whom it was for is gone, or armed for another deadline.
        case stale
        /// Its job needs no such timer now.
        case idle
        /// The true end is later.
        case moved(Int64)
        case valid
    }

    /// The earliest moment at which something will happen by itself.
    package var nextDeadline: Timestamp? {
        timers.first.map { Timestamp(milliseconds: $0.deadline) }
    }

    /// Clears the top of the heap, so that the first timer is one that still matters, at its true deadline.
    mutating func settleTimers() {
        while let first = timers.first {
            switch status(of: first) {
            case .valid: return
            case .stale: timers.removeFirst(stale: true)
            case .idle:
                disarm(first)
                timers.removeFirst(stale: false)
            case .moved(let deadline):
                rearm(first, for: deadline)
                timers.moveFirst(to: deadline)
            }
        }
    }

    /// By deadline, then kind, then posting position: the same order on every replica.
    mutating func fireTimers(into events: inout [Event]) {
        var fired = 0
        settleTimers()
        while fired < limits.timersPerBlock, let first = timers.first, first.deadline <= now.milliseconds {
            disarm(first)
            timers.removeFirst(stale: false)
            fire(first, into: &events)
            settleTimers()
            fired += 1
        }
    }

    private mutating func fire(_ timer: Timer, into events: inout [Event]) {
        switch timer.kind {
        case .lease: endLease(timer.slot, into: &events)
        case .delay: becomeReady(timer.slot)
        case .expiry: if slots[timer.slot].job.state == .unclaimed { expire(timer.slot, into: &events) }
        case .session: closeSession(timer.slot)
        }
    }

    @inline(__always)
    private func status(of timer: Timer) -> TimerStatus {
        if timer.kind == .session {
            guard sessions[timer.slot].id == timer.position, sessions[timer.slot].armed == timer.deadline else { return .stale }
            let end = sessions[timer.slot].deadline.milliseconds
            return end > timer.deadline ? .moved(end) : .valid
        }
        guard slots[timer.slot].job.position == timer.position else { return .stale }
        switch timer.kind {
        case .lease:
            guard slots[timer.slot].leaseArmed == timer.deadline else { return .stale }
            guard let end = slots[timer.slot].job.leaseUntil?.milliseconds else { return .idle }
            return end > timer.deadline ? .moved(end) : .valid
        case .delay:
            return slots[timer.slot].delayArmed == timer.deadline ? .valid : .stale
        case .expiry, .session:
            return slots[timer.slot].expiryArmed ? .valid : .stale
        }
    }

    private mutating func rearm(_ timer: Timer, for deadline: Int64) {
        switch timer.kind {
        case .lease: slots[timer.slot].leaseArmed = deadline
        case .session: sessions[timer.slot].armed = deadline
        case .delay, .expiry: preconditionFailure("timer \(timer) can't move")
        }
    }

    private mutating func disarm(_ timer: Timer) {
        switch timer.kind {
        case .lease: slots[timer.slot].leaseArmed = Timer.none
        case .delay: slots[timer.slot].delayArmed = Timer.none
        case .expiry: slots[timer.slot].expiryArmed = false
        case .session: sessions[timer.slot].armed = Timer.none
        }
    }

    /// Sees to it that a timer comes no later than the lease ends.
    mutating func armLease(_ slot: Int32, until: Timestamp) {
        let armed = slots[slot].leaseArmed
        guard until.milliseconds < armed else { return }
        if armed != Timer.none { timers.becameStale(1) }
        slots[slot].leaseArmed = until.milliseconds
        timers.insert(Timer(deadline: until.milliseconds, kind: .lease, position: slots[slot].job.position, slot: slot))
        compactTimersIfNeeded()
    }

    /// For a job that has just begun to wait; at the end it becomes ready.
    mutating func armDelay(_ slot: Int32, until: Timestamp) {
        slots[slot].delayArmed = until.milliseconds
        timers.insert(Timer(deadline: until.milliseconds, kind: .delay, position: slots[slot].job.position, slot: slot))
    }

    mutating func armExpiry(_ slot: Int32, on moment: Timestamp) {
        slots[slot].expiryArmed = true
        timers.insert(Timer(deadline: moment.milliseconds, kind: .expiry, position: slots[slot].job.position, slot: slot))
    }

    /// The job leaves the board: none of its timers matters any more.
    mutating func disarmAll(_ slot: Int32) {
        let stale = slots[slot].disarm()
        guard stale > 0 else { return }
        timers.becameStale(stale)
        compactTimersIfNeeded()
    }

    mutating func compactTimersIfNeeded() {
        guard timers.wantsCompaction else { return }
        timers.replace(
            with: timers.heap.unordered.filter { timer in
                if case .stale = status(of: timer) { false } else { true }
            })
    }
}
