// What a machine is taken apart into for a snapshot, and put together from again. Slot numbers, left-over entries, the
// order of dictionaries and the contents of indexes don't occur in it: machines in equal states are taken apart into equal parts.

/// What is not of one board, job or session.
package struct SavedCounters: Sendable, Equatable {
    /// The time of the log.
    package var now: Timestamp
    /// The position of the last event.
    package var lastPosition: UInt64
    /// The last fence given.
    package var lastFence: UInt64
    /// The last session opened.
    package var lastSession: UInt64
    /// Jobs that were consumed on boards that there are no more.
    package var completeElsewhere: UInt64
    /// What the whole state counts for.
    package var accountedBytes: UInt64

    package init(
        now: Timestamp, lastPosition: UInt64, lastFence: UInt64, lastSession: UInt64, completeElsewhere: UInt64 = 0,
        accountedBytes: UInt64
    ) {
        self.completeElsewhere = completeElsewhere
        self.accountedBytes = accountedBytes
        self.now = now
        self.lastPosition = lastPosition
        self.lastFence = lastFence
        self.lastSession = lastSession
    }
}

/// A board. Its other counters follow from its jobs.
package struct SavedBoard: Sendable, Equatable {
    package var name: String
    /// All jobs that were ever consumed.
    package var complete: UInt64
    /// It was claimed from by name.
    package var hasNames: Bool

    package init(name: String, complete: UInt64, hasNames: Bool) {
        self.name = name
        self.complete = complete
        self.hasNames = hasNames
    }
}

/// A job with what the machine knows of it besides. Its timers follow: a lease, a delay or an expiry has one.
package struct SavedJob: Sendable, Equatable {
    /// Which of the saved boards it is on, counted from 0. What `job.board` says does not count.
    package var board: UInt32
    package var job: Job
    /// The hash of what was posted.
    package var content: UInt64
    /// Claimable now. An unclaimed job that is not ready waits for its `notBefore`, even when that is over: its time is
    /// served by the next block.
    package var isReady: Bool
    /// Its expiry has not been served yet.
    package var expiryArmed: Bool

    package init(board: UInt32, job: Job, content: UInt64, isReady: Bool, expiryArmed: Bool) {
        self.board = board
        self.job = job
        self.content = content
        self.isReady = isReady
        self.expiryArmed = expiryArmed
    }
}

/// A session without the outcomes that it keeps.
package struct SavedSession: Sendable, Equatable {
    package var id: UInt64
    package var key: SessionKey
    package var ttlMilliseconds: UInt32
    package var lastUsed: Timestamp
    /// Outcomes of sequence numbers below this one are forgotten.
    package var floor: UInt64
    /// Something with an effect was done under it.
    package var hasActed: Bool

    package init(
        id: UInt64, key: SessionKey, ttlMilliseconds: UInt32, lastUsed: Timestamp, floor: UInt64, hasActed: Bool
    ) {
        self.key = key
        self.hasActed = hasActed
        self.id = id
        self.ttlMilliseconds = ttlMilliseconds
        self.lastUsed = lastUsed
        self.floor = floor
    }
}

/// An outcome that a session keeps.
package struct SavedOutcome: Sendable, Equatable {
    package var sequence: UInt64
    package var outcome: RetainedOutcome

    package init(sequence: UInt64, outcome: RetainedOutcome) {
        self.sequence = sequence
        self.outcome = outcome
    }
}

extension Job {
    /// The same job with another text for its board.
    func with(board: String) -> Job {
        Job(
            id: id, board: board, name: name, details: details, priority: priority, createdOn: createdOn, position: position,
            state: state, lastModified: lastModified, owner: owner, fence: fence, leaseUntil: leaseUntil, claims: claims,
            failures: failures, rare: rare)
    }
}
