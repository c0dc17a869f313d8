extension BoardMachine {
    /// The slot of a job that can be claimed. Throws `not_found`, or `unclaimable` with the reason.
    @inline(__always)
    func claimable(_ id: JobID) throws(JobboardError) -> Int32 {
        guard let slot = ids[id] else { throw Self.noJob(id) }
        if slots[slot].isReady { return slot }
        let job = slots[slot].job
        switch job.state {
        case .claimed:
            let owner = job.owner ?? ""
            let end = job.leaseUntil.map { " until \($0)" } ?? ""
            throw JobboardError(.unclaimable, "job \(id) is claimed by \(owner)\(end)", owner: job.owner)
        case .trashed: throw JobboardError(.unclaimable, "job \(id) is trashed")
        case .unclaimed:
            let end = job.notBefore.map { " until \($0)" } ?? ""
            throw JobboardError(.unclaimable, "job \(id) is delayed\(end)")
        case .complete: throw JobboardError(.unclaimable, "job \(id) is complete")
        }
    }

    static func noJob(_ id: JobID) -> JobboardError {
        JobboardError(.notFound, "there is no job \(id)")
    }

    /// Gives a ready job to somebody, with a new fence.
    mutating func take(_ slot: Int32, who: String, leaseMilliseconds: UInt32?, events: inout [Event]) -> Job {
        leaveReady(slot)
        count(slots[slot].board, from: .unclaimed, to: .claimed)
        lastFence += 1
        let until = leaseEnd(slot, leaseMilliseconds)
        slots[slot].job.claim(by: who, fence: lastFence, until: until, at: now)
        jobBytes += who.utf8.count
        armLease(slot, until: until)
        emit(.claimed, slot, owner: who, fence: lastFence, into: &events)
        return slots[slot].job
    }

    /// A lease from now: as asked for, else the job's own, else the default.
    @inline(__always)
    func leaseEnd(_ slot: Int32, _ asked: UInt32?) -> Timestamp {
        now.adding(milliseconds: Int64(asked ?? slots[slot].job.leaseMilliseconds ?? limits.defaultLeaseMilliseconds))
    }

    /// Takes the first claimable jobs, by priority and then posting order: fewer than asked for when they are large.
    mutating func claimNext(_ want: ClaimNext, events: inout [Event]) -> [Job] {
        guard let board = boardIndexes[want.board], boards[Int(board)].ready > 0 else { return [] }
        if want.name != nil, !boards[Int(board)].hasNames {
            let isBuilt = !hasManyJobs(board)
            startNames(of: board)
            guard isBuilt else { return [] }
        }
        var claimed: [Job] = []
        var bytes = 0
        for priority in Priority.allCases where want.includes(priority) {
            while claimed.count < Int(want.count), bytes < limits.answerBytes,
                let slot = takeFirst(want.name, board, priority)
            {
                bytes += slots[slot].job.answerBytes
                claimed.append(take(slot, who: want.who, leaseMilliseconds: want.leaseMilliseconds, events: &events))
            }
        }
        return claimed
    }

    private mutating func takeFirst(_ name: String?, _ board: Int32, _ priority: Priority) -> Int32? {
        guard let name else { return lanes[lane(board, priority)].ready.takeFirst(slots) }
        return takeFirst(named: name, board, priority)
    }

    /// Whether `claimNext` would get something: exact, unless it asks for a name of which nothing is known because the board
    /// has no index of names yet (`needsNameIndex`), or too little because that is being built (`isBuildingNames`).
    package func hasClaimable(_ want: ClaimNext) -> Bool {
        guard let board = boardIndexes[want.board], boards[Int(board)].ready > 0 else { return false }
        for priority in Priority.allCases where want.includes(priority) {
            if let name = want.name {
                if boards[Int(board)].names?.first(name, priority) != nil { return true }
            } else if lanes[lane(board, priority)].ready.live > 0 {
                return true
            }
        }
        return false
    }

    /// Whether the command must be carried out to know what it gets.
    func mayClaim(_ want: ClaimNext) -> Bool {
        hasClaimable(want) || needsNameIndex(want) || want.name != nil && isBuildingNames(board: want.board)
    }
}

extension ClaimNext {
    func includes(_ priority: Priority) -> Bool {
        priorities.isEmpty || priorities.contains(priority)
    }
}

extension Job {
    /// Somebody holds it from now on.
    mutating func claim(by who: String, fence: UInt64, until: Timestamp, at now: Timestamp) {
        state = .claimed
        lastModified = now
        owner = who
        self.fence = fence
        leaseUntil = until
        if claims < .max { claims += 1 }
    }
}
