package import Jobboard

// The bytes of the parts that a machine is taken apart into for a snapshot.

/// The kinds of outcome that sessions keep, numbered as in responses.
private enum OutcomeTag: UInt8 {
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
        varint(counters.completeElsewhere)
        varint(counters.accountedBytes)
    }

    package mutating func saved(_ board: SavedBoard) {
        string(board.name)
        varint(board.complete)
        bool(board.hasNames)
    }

    package mutating func saved(_ saved: SavedJob) {
        varint(UInt64(saved.board))
        varint(flag(saved.isReady, 0) | flag(saved.expiryArmed, 1))
        u64(saved.content)
        job(saved.job, withBoard: false)
    }

    package mutating func saved(_ session: SavedSession) {
        varint(session.id)
        sessionKey(session.key)
        varint(UInt64(session.ttlMilliseconds))
        timestamp(session.lastUsed)
        varint(session.floor)
        bool(session.hasActed)
    }

    package mutating func saved(_ saved: SavedOutcome) {
        varint(saved.sequence)
        switch saved.outcome {
        case .posted(let first, let others):
            u8(OutcomeTag.posted.rawValue)
            varint(UInt64(others.count))
            retained(first)
            for job in others { retained(job) }
        case .claimed(let first, let others):
            u8(OutcomeTag.claimed.rawValue)
            varint(UInt64(others.count))
            retained(first)
            for job in others { retained(job) }
        case .changed(let job):
            u8(OutcomeTag.changed.rawValue)
            varint(flag(job.fence != nil, 0) | flag(job.leaseUntil != nil, 1))
            jobID(job.id)
            u8(job.state.rawValue)
            if let fence = job.fence { varint(fence) }
            if let end = job.leaseUntil { timestamp(end) }
        case .refused(let refusal):
            u8(OutcomeTag.refused.rawValue)
            error(refusal)
        }
    }

    private mutating func retained(_ job: RetainedOutcome.Posted) {
        bool(job.isDuplicate)
        jobID(job.id)
        varint(job.position)
    }

    private mutating func retained(_ job: RetainedOutcome.Claimed) {
        jobID(job.id)
        varint(job.fence)
        timestamp(job.leaseUntil)
    }
}

extension ByteReader {
    package mutating func savedCounters() throws(WireError) -> SavedCounters {
        SavedCounters(
            now: try timestamp(), lastPosition: try varint(), lastFence: try varint(), lastSession: try varint(),
            completeElsewhere: try varint(), accountedBytes: try varint())
    }

    package mutating func savedBoard() throws(WireError) -> SavedBoard {
        SavedBoard(name: try string(), complete: try varint(), hasNames: try bool())
    }

    package mutating func savedJob() throws(WireError) -> SavedJob {
        let board = try varint32()
        let flags = try flags(known: 0b11)
        let content = try u64()
        return SavedJob(
            board: board, job: try job(on: ""), content: content, isReady: flags.has(0), expiryArmed: flags.has(1))
    }

    package mutating func savedSession() throws(WireError) -> SavedSession {
        SavedSession(
            id: try varint(), key: try sessionKey(), ttlMilliseconds: try varint32(), lastUsed: try timestamp(),
            floor: try varint(),
            hasActed: try bool())
    }

    package mutating func savedOutcome() throws(WireError) -> SavedOutcome {
        let sequence = try varint()
        let tag: OutcomeTag = try tag("outcome")
        switch tag {
        case .posted:
            let more = try count(minimumSize: 18, maximum: AnswerBounds.jobs)
            let first = try retainedPosted()
            var others: [RetainedOutcome.Posted] = []
            others.reserveCapacity(more)
            for _ in 0..<more { others.append(try retainedPosted()) }
            return SavedOutcome(sequence: sequence, outcome: .posted(first, others))
        case .claimed:
            let more = try count(minimumSize: 18, maximum: AnswerBounds.jobs)
            let first = try retainedClaimed()
            var others: [RetainedOutcome.Claimed] = []
            others.reserveCapacity(more)
            for _ in 0..<more { others.append(try retainedClaimed()) }
            return SavedOutcome(sequence: sequence, outcome: .claimed(first, others))
        case .changed:
            let flags = try flags(known: 0b11)
            let job = RetainedOutcome.Changed(
                id: try jobID(), state: try self.tag("job state"), fence: try flags.has(0) ? varint() : nil,
                leaseUntil: try flags.has(1) ? timestamp() : nil)
            return SavedOutcome(sequence: sequence, outcome: .changed(job))
        case .refused:
            return SavedOutcome(sequence: sequence, outcome: .refused(try error()))
        }
    }

    private mutating func retainedPosted() throws(WireError) -> RetainedOutcome.Posted {
        let isDuplicate = try bool()
        return RetainedOutcome.Posted(id: try jobID(), position: try varint(), isDuplicate: isDuplicate)
    }

    private mutating func retainedClaimed() throws(WireError) -> RetainedOutcome.Claimed {
        RetainedOutcome.Claimed(id: try jobID(), fence: try varint(), leaseUntil: try timestamp())
    }
}
