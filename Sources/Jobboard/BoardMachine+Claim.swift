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
        guard let board = boardIndexes[want.board], boards[Int(board)].ready > 0 || want.name != nil else { return [] }
        if let name = want.name { indexName(name, on: board) }
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
        return boards[Int(board)].named[name]?.queues[Int(priority.rawValue)].takeFirst(slots)
    }

    /// Gives a name an order of its own, from the jobs that are ready now.
    private mutating func indexName(_ name: String, on board: Int32) {
        namedUses += 1
        if boards[Int(board)].named[name] != nil {
            boards[Int(board)].named[name]?.lastUse = namedUses
            return
        }
        var index = NamedReady(lastUse: namedUses)
        for priority in Priority.allCases {
            let all = lanes[lane(board, priority)].ready.unorderedSlots(slots)
            let mine = all.filter { slots[$0].job.name == name }
                .map { ReadyEntry(position: slots[$0].job.position, slot: $0, epoch: slots[$0].readyEpoch) }
            for entry in mine.sorted() { index.queues[Int(priority.rawValue)].insert(entry) }
        }
        if boards[Int(board)].named.count >= limits.indexedNames,
            let unused = boards[Int(board)].named.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
        {
            boards[Int(board)].named[unused] = nil
        }
        boards[Int(board)].named[name] = index
    }

    /// Whether `claimNext` would get something. Exact; looks through the ready jobs only for a name that no `claimNext`
    /// has asked for yet.
    package func hasClaimable(_ want: ClaimNext) -> Bool {
        guard let board = boardIndexes[want.board], boards[Int(board)].ready > 0 else { return false }
        for priority in Priority.allCases where want.includes(priority) {
            let ready = lanes[lane(board, priority)].ready
            guard let name = want.name else {
                if ready.live > 0 { return true }
                continue
            }
            if let index = boards[Int(board)].named[name] {
                if index.queues[Int(priority.rawValue)].live > 0 { return true }
            } else if ready.unorderedSlots(slots).contains(where: { slots[$0].job.name == name }) {
                return true
            }
        }
        return false
    }

    /// Whether `hasClaimable` would have to look through many jobs. Then the command had better be carried out, even for
    /// nothing: it gives the name an order of its own, and the next question is answered at once.
    package func needsNameIndex(_ want: ClaimNext) -> Bool {
        guard let name = want.name, let board = boardIndexes[want.board] else { return false }
        return boards[Int(board)].ready > 1024 && boards[Int(board)].named[name] == nil
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
