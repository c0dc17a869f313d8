/// What the owner of a claim can do with it.
extension BoardMachine {
    /// The slot of a job that is held by whoever says so. Throws `not_found`, `not_claimed`, `not_owner` or `stale_fence`.
    @inline(__always)
    func held(_ holder: Holder) throws(JobboardError) -> Int32 {
        guard let slot = ids[holder.job] else { throw Self.noJob(holder.job) }
        switch slots[slot].job.state {
        case .claimed: break
        case .unclaimed: throw JobboardError(.notClaimed, "job \(holder.job) is not claimed")
        case .complete: throw JobboardError(.notClaimed, "job \(holder.job) is complete")
        case .trashed: throw JobboardError(.notClaimed, "job \(holder.job) is trashed")
        }
        let owner = slots[slot].job.owner ?? ""
        guard owner == holder.who else {
            throw JobboardError(.notOwner, "job \(holder.job) is claimed by \(owner), not by \(holder.who)", owner: owner)
        }
        if let fence = holder.fence, let current = slots[slot].job.fence, fence != current {
            throw JobboardError(
                .staleFence, "fence \(fence) is not that of the current claim of job \(holder.job), which is \(current)",
                owner: owner)
        }
        return slot
    }

    mutating func extend(_ slot: Int32, leaseMilliseconds: UInt32?, events: inout [Event]) -> Job {
        let until = leaseEnd(slot, leaseMilliseconds)
        slots[slot].job.leaseUntil = until
        slots[slot].job.lastModified = now
        armLease(slot, until: until)
        emit(.extended, slot, owner: slots[slot].job.owner, fence: slots[slot].job.fence, into: &events)
        return slots[slot].job.withoutBody
    }

    /// Back to its old place at once, or after the delay, or to the trash when it has expired meanwhile. A failure without a delay backs off by itself, and one too many
    /// puts the job into the trash.
    mutating func abandon(_ slot: Int32, delayMilliseconds: UInt64?, failure: String?, events: inout [Event]) -> Job {
        let (owner, fence) = (slots[slot].job.owner, slots[slot].job.fence)
        var delay = delayMilliseconds
        if let failure {
            if slots[slot].job.failures < .max { slots[slot].job.failures += 1 }
            changeRare(of: slot) { $0.lastFailure = failure }
            if let most = slots[slot].job.maxFailures, slots[slot].job.failures >= most {
                endClaim(slot, to: .trashed)
                moveToTrash(slot)
                emit(.trashed, slot, owner: owner, fence: fence, failure: failure, into: &events)
                return slots[slot].job.withoutBody
            }
            delay = delay ?? Self.backoffMilliseconds(failures: slots[slot].job.failures)
        }
        endClaim(slot, to: .unclaimed)
        if let delay {
            let moment = now.adding(milliseconds: Int64(clamping: delay))
            changeRare(of: slot) { $0.notBefore = moment }
        }
        becomeReadyOrWait(slot)
        emit(failure == nil ? .abandoned : .failed, slot, owner: owner, fence: fence, failure: failure, into: &events)
        expireIfOverdue(slot, into: &events)
        return slots[slot].job.withoutBody
    }

    /// One second, doubled with each failure more, up to five minutes.
    static func backoffMilliseconds(failures: UInt32) -> UInt64 {
        min(300_000, 1000 << UInt64(min(failures - 1, 16)))
    }

    /// Off the board for good, with its follow-ups posted onto the same board. It is remembered with its result and without
    /// its details; the answer has neither. Throws before any change when a follow-up can't be posted.
    mutating func consume(
        _ slot: Int32, result: [UInt8]?, followUps: [NewJob], events: inout [Event]
    ) throws(JobboardError) -> Job {
        let board = slots[slot].board
        let steps = followUps.isEmpty ? [] : try plan(followUps, on: slots[slot].job.board, leaving: slot)
        let (owner, fence) = (slots[slot].job.owner, slots[slot].job.fence)
        endClaim(slot, to: .complete)
        disarmAll(slot)
        freeKey(slot)
        emit(.consumed, slot, owner: owner, fence: fence, into: &events)
        let lane = lane(of: slot)
        lanes[lane].onBoard.left(slots)
        let job = slots[slot].job.remembered(result: result)
        jobBytes -= slots[slot].job.details.count + StateCost.rareFields(slots[slot].job)
        slots[slot].job = job
        jobBytes += StateCost.rareFields(job)
        lanes[lane].complete.insert(position: job.position, slot: slot)
        // Before anything is forgotten, so that the board stays for them.
        for index in steps.indices where steps[index].isNew {
            _ = insert(followUps[index], on: board, events: &events)
        }
        remember(slot, job)
        return job.withoutBody
    }

    /// Keeps a complete job for a while, and forgets the oldest ones for it.
    private mutating func remember(_ slot: Int32, _ job: Job) {
        completed.append(slot, job)
        boards[Int(slots[slot].board)].remembered += 1
        while completed.isOver(limits) {
            let oldest = completed.removeFirst()
            jobBytes -= StateCost.job(slots[oldest].job)
            let lane = lane(of: oldest)
            ids[slots[oldest].job.id] = nil
            let board = slots[oldest].board
            slots.remove(oldest)
            lanes[lane].complete.left(slots)
            boards[Int(board)].remembered -= 1
            if boards[Int(board)].remembered == 0 { dropIfEmpty(board) }
        }
    }
}

extension Job {
    /// A complete job as it is kept: with its result, without its details.
    fileprivate func remembered(result: [UInt8]?) -> Job {
        var rare = rare
        if let result {
            var values = rare?.values ?? RareFields.Values()
            values.result = result
            rare = RareFields(values)
        }
        return Job(
            id: id, board: board, name: name, details: [], priority: priority, createdOn: createdOn, position: position,
            state: .complete, lastModified: lastModified, claims: claims, failures: failures, rare: rare)
    }
}
