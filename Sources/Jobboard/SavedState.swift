// What a machine is taken apart into for a snapshot, and put together from again. Slot numbers, left-over entries, the
// order of dictionaries and indexes of names don't occur in it: machines in equal states are taken apart into equal parts.

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

    package init(now: Timestamp, lastPosition: UInt64, lastFence: UInt64, lastSession: UInt64) {
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

    package init(name: String, complete: UInt64) {
        self.name = name
        self.complete = complete
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
    package var ttlMilliseconds: UInt32
    package var lastUsed: Timestamp
    /// Outcomes of sequence numbers below this one are forgotten.
    package var floor: UInt64

    package init(id: UInt64, ttlMilliseconds: UInt32, lastUsed: Timestamp, floor: UInt64) {
        self.id = id
        self.ttlMilliseconds = ttlMilliseconds
        self.lastUsed = lastUsed
        self.floor = floor
    }
}

/// An outcome that a session keeps.
package struct SavedOutcome: Sendable, Equatable {
    package var sequence: UInt64
    package var outcome: Outcome
    /// For each job of the outcome: its details are left out, being those of the job with its uuid that is on a board or in
    /// the trash. Most are, and share their bytes with it in memory.
    package var sharesDetails: [Bool]

    package init(sequence: UInt64, outcome: Outcome, sharesDetails: [Bool]) {
        self.sequence = sequence
        self.outcome = outcome
        self.sharesDetails = sharesDetails
    }
}

extension Outcome {
    /// The jobs that it answers with.
    package var jobs: [Job] {
        switch self {
        case .posted(let jobs, _), .claimed(let jobs): jobs
        case .changed(let job): [job]
        case .sessionOpened, .sessionClosed, .refused: []
        }
    }

    /// The same outcome with as many other jobs in it.
    func with(jobs: [Job]) -> Outcome {
        switch self {
        case .posted(_, let duplicates): .posted(jobs, duplicates: duplicates)
        case .claimed: .claimed(jobs)
        case .changed: .changed(jobs[0])
        case .sessionOpened, .sessionClosed, .refused: self
        }
    }
}

extension Job {
    /// The same job with another text for its board, or other details.
    func with(board: String? = nil, details: [UInt8]? = nil) -> Job {
        Job(
            id: id, board: board ?? self.board, name: name, details: details ?? self.details, priority: priority,
            createdOn: createdOn, position: position, state: state, lastModified: lastModified, owner: owner, fence: fence,
            leaseUntil: leaseUntil, claims: claims, failures: failures, rare: rare)
    }
}
