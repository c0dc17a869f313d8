package import Jobboard

// The bytes of the parts that a machine is taken apart into for a snapshot.

/// The kinds of outcome, numbered as in responses.
private enum OutcomeTag: UInt8 {
    case sessionOpened = 1
    case sessionClosed = 2
    case posted = 3
    case claimed = 4
    case changed = 5
    case refused = 6
}

extension ByteWriter {
    package mutating func saved(_ counters: SavedCounters) {
        timestamp(counters.now)
        varint(counters.lastPosition)
        varint(counters.lastFence)
        varint(counters.lastSession)
    }

    package mutating func saved(_ board: SavedBoard) {
        string(board.name)
        varint(board.complete)
    }

    package mutating func saved(_ saved: SavedJob) {
        varint(UInt64(saved.board))
        varint(flag(saved.isReady, 0) | flag(saved.expiryArmed, 1))
        u64(saved.content)
        job(saved.job, withBoard: false)
    }

    package mutating func saved(_ session: SavedSession) {
        varint(session.id)
        varint(UInt64(session.ttlMilliseconds))
        timestamp(session.lastUsed)
        varint(session.floor)
    }

    package mutating func saved(_ saved: SavedOutcome) {
        varint(saved.sequence)
        switch saved.outcome {
        case .sessionOpened(let id):
            u8(OutcomeTag.sessionOpened.rawValue)
            varint(id)
        case .sessionClosed:
            u8(OutcomeTag.sessionClosed.rawValue)
        case .posted(let jobs, let duplicates):
            u8(OutcomeTag.posted.rawValue)
            varint(UInt64(jobs.count))
            for place in jobs.indices {
                outcomeJob(jobs[place], shared: saved.sharesDetails[place], duplicate: duplicates[place])
            }
        case .claimed(let jobs):
            u8(OutcomeTag.claimed.rawValue)
            varint(UInt64(jobs.count))
            for place in jobs.indices { outcomeJob(jobs[place], shared: saved.sharesDetails[place]) }
        case .changed(let job):
            u8(OutcomeTag.changed.rawValue)
            outcomeJob(job, shared: saved.sharesDetails[0])
        case .refused(let refusal):
            u8(OutcomeTag.refused.rawValue)
            error(refusal)
        }
    }

    private mutating func outcomeJob(_ value: Job, shared: Bool, duplicate: Bool = false) {
        varint(flag(shared, 0) | flag(duplicate, 1))
        job(value)
    }
}

extension ByteReader {
    package mutating func savedCounters() throws(WireError) -> SavedCounters {
        SavedCounters(now: try timestamp(), lastPosition: try varint(), lastFence: try varint(), lastSession: try varint())
    }

    package mutating func savedBoard() throws(WireError) -> SavedBoard {
        SavedBoard(name: try string(), complete: try varint())
    }

    package mutating func savedJob() throws(WireError) -> SavedJob {
        let board = try varint32()
        let flags = try flags(known: 0b11)
        let content = try u64()
        return SavedJob(
            board: board, job: try job(on: ""), content: content, isReady: flags.has(0), expiryArmed: flags.has(1))
    }

    package mutating func savedSession() throws(WireError) -> SavedSession {
        SavedSession(id: try varint(), ttlMilliseconds: try varint32(), lastUsed: try timestamp(), floor: try varint())
    }

    package mutating func savedOutcome() throws(WireError) -> SavedOutcome {
        let sequence = try varint()
        let tag: OutcomeTag = try tag("outcome")
        switch tag {
        case .sessionOpened:
            return SavedOutcome(sequence: sequence, outcome: .sessionOpened(try varint()), sharesDetails: [])
        case .sessionClosed:
            return SavedOutcome(sequence: sequence, outcome: .sessionClosed, sharesDetails: [])
        case .posted:
            let (jobs, flags) = try outcomeJobs(try count(minimumSize: Self.smallestJob + 1), known: 0b11)
            return SavedOutcome(
                sequence: sequence, outcome: .posted(jobs, duplicates: flags.map { $0.has(1) }),
                sharesDetails: flags.map { $0.has(0) })
        case .claimed:
            let (jobs, flags) = try outcomeJobs(try count(minimumSize: Self.smallestJob + 1), known: 0b1)
            return SavedOutcome(sequence: sequence, outcome: .claimed(jobs), sharesDetails: flags.map { $0.has(0) })
        case .changed:
            let (jobs, flags) = try outcomeJobs(1, known: 0b1)
            return SavedOutcome(sequence: sequence, outcome: .changed(jobs[0]), sharesDetails: [flags[0].has(0)])
        case .refused:
            return SavedOutcome(sequence: sequence, outcome: .refused(try error()), sharesDetails: [])
        }
    }

    private mutating func outcomeJobs(_ count: Int, known: UInt64) throws(WireError) -> ([Job], [UInt64]) {
        var jobs: [Job] = []
        var flags: [UInt64] = []
        jobs.reserveCapacity(count)
        flags.reserveCapacity(count)
        for _ in 0..<count {
            flags.append(try self.flags(known: known))
            jobs.append(try job())
        }
        return (jobs, flags)
    }
}
