import DequeModule

extension BoardMachine {
    /// A hash of the whole replicated state: equal states have equal ones, in every process. What is only there for
    /// speed (slot numbers, left-over entries, how far an index of names is built) does not count. Takes time with every job there is.
    package func fingerprint() -> UInt64 {
        var mixer = Mixer()
        mixer.combine(now)
        mixer.combine(lastPosition)
        mixer.combine(lastFence)
        mixer.combine(sessions.lastID)
        mixer.combine(UInt64(slots.count))
        mixer.combine(sumOfJobs())
        mixer.combine(UInt64(accountedBytes))
        mixer.combine(UInt64(completed.count))
        for entry in completed.ring { mixer.combine(slots[entry.slot].job.id) }
        mixer.combine(UInt64(completeElsewhere))
        for board in boards.filter({ !$0.name.isEmpty }).sorted(by: { $0.name < $1.name }) {
            mixer.combine(board.name)
            mixer.combine(UInt64(board.ready))
            mixer.combine(board.hasNames ? 1 : 0 as UInt64)
            for state in JobState.allCases { mixer.combine(UInt64(board.counts[state])) }
        }
        for slot in sessions.byLastUse { mixer.combine(sessions[slot]) }
        return mixer.value
    }

    /// A sum does not depend on the order of the slots.
    private func sumOfJobs() -> UInt64 {
        var sum: UInt64 = 0
        for slot in 0..<slots.capacity where slots[slot].job.position != 0 {
            var mixer = Mixer()
            mixer.combine(slots[slot].job)
            mixer.combine(slots[slot].content)
            mixer.combine(slots[slot].isReady ? 1 : 0 as UInt64)
            mixer.combine(slots[slot].expiryArmed ? 1 : 0 as UInt64)
            sum &+= mixer.value
        }
        return sum
    }
}

extension Mixer {
    fileprivate mutating func combine(_ session: Session) {
        combine(session.id)
        combine(session.key.high)
        combine(session.key.low)
        combine(UInt64(session.ttlMilliseconds))
        combine(session.lastUsed)
        combine(session.floor)
        combine(session.hasActed ? 1 : 0 as UInt64)
        combine(UInt64(session.keptSequences.count))
        for sequence in session.keptSequences { combine(sequence) }
        for outcome in session.keptOutcomes { combine(outcome) }
    }

    fileprivate mutating func combine(_ outcome: RetainedOutcome) {
        switch outcome {
        case .posted(let first, let others):
            combine(3 as UInt64)
            combine(first)
            combine(UInt64(others.count))
            for job in others { combine(job) }
        case .claimed(let first, let others):
            combine(4 as UInt64)
            combine(first)
            combine(UInt64(others.count))
            for job in others { combine(job) }
        case .changed(let job):
            combine(5 as UInt64)
            combine(job.id)
            combine(UInt64(job.state.rawValue))
            combine(job.fence)
            combine(job.leaseUntil)
        case .refused(let error):
            combine(6 as UInt64)
            combine(error.code.rawValue)
            combine(error.message)
            combine(UInt64(error.outcome.rawValue))
            combine(error.owner)
        }
    }

    private mutating func combine(_ job: RetainedOutcome.Posted) {
        combine(job.id)
        combine(job.position << 1 | (job.isDuplicate ? 1 : 0))
    }

    private mutating func combine(_ job: RetainedOutcome.Claimed) {
        combine(job.id)
        combine(job.fence)
        combine(job.leaseUntil)
    }

    fileprivate mutating func combine(_ job: Job) {
        combine(job.id)
        combine(job.board)
        combine(job.name)
        combine(job.details)
        combine(UInt64(job.priority.rawValue) << 8 | UInt64(job.state.rawValue))
        combine(job.createdOn)
        combine(job.position)
        combine(job.lastModified)
        combine(job.owner)
        combine(job.fence)
        combine(job.leaseUntil)
        combine(UInt64(job.claims) << 32 | UInt64(job.failures))
        guard let rare = job.rare?.values else { return combine(0 as UInt64) }
        combine(rare.book)
        combine(rare.key)
        combine(rare.notBefore)
        combine(rare.expiresOn)
        combine(rare.leaseMilliseconds)
        combine(rare.maxFailures)
        combine(UInt64(rare.lostClaims))
        combine(rare.maxLostClaims)
        combine(rare.lastFailure)
        combine(rare.result == nil ? 0 : 1 as UInt64)
        if let result = rare.result { combine(result) }
    }
}
