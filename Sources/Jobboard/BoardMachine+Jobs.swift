/// The steps that the rules are made of: each keeps slots, orders, counters and timers in agreement.
///
/// Small questions are inlined, here and in the rules: a call of one from a function that changes the machine would first
/// copy the machine, nearly 500 bytes, to be sure that it stays as it is.
extension BoardMachine {
    /// The lane of a job.
    @inline(__always)
    func lane(of slot: Int32) -> Int {
        lane(slots[slot].board, slots[slot].job.priority)
    }

    @inline(__always)
    func lane(_ board: Int32, _ priority: Priority) -> Int {
        Int(board) * Priority.allCases.count + Int(priority.rawValue)
    }

    func boardIndex(_ name: String) -> Int32? { boardIndexes[name] }

    /// A board exists from its first post.
    mutating func boardForPost(_ name: String) -> Int32 {
        if let index = boardIndexes[name] { return index }
        if let index = freeBoards.popLast() {
            boards[Int(index)] = Board(name: name)
            boardIndexes[name] = index
            return index
        }
        let index = Int32(boards.count)
        boards.append(Board(name: name))
        for _ in Priority.allCases { lanes.append(Lane()) }
        boardIndexes[name] = index
        return index
    }

    /// A board ends with its last job: neither on the board nor in the trash nor remembered. What was consumed there counts on
    /// in the cluster's total.
    mutating func dropIfEmpty(_ board: Int32) {
        guard boards[Int(board)].isEmpty else { return }
        boardIndexes[boards[Int(board)].name] = nil
        completeElsewhere += boards[Int(board)].counts.complete
        boards[Int(board)] = .vacant
        for priority in Priority.allCases { lanes[lane(board, priority)] = Lane() }
        freeBoards.append(board)
    }

    /// Boards that there are.
    package var boardCount: Int { boardIndexes.count }

    /// Moves a job between the counters of two states.
    mutating func count(_ board: Int32, from old: JobState?, to new: JobState) {
        boards[Int(board)].counts.move(from: old, to: new)
        totals.move(from: old, to: new)
    }

    /// From now on the job is claimable.
    mutating func becomeReady(_ slot: Int32) {
        precondition(slots[slot].job.state == .unclaimed && !slots[slot].isReady, "\(slots[slot].job.id) can't become ready")
        slots[slot].becomeReady()
        newlyReadySlots.append(slot)
        let entry = ReadyEntry(position: slots[slot].job.position, slot: slot, epoch: slots[slot].readyEpoch)
        lanes[lane(of: slot)].ready.insert(entry)
        let board = Int(slots[slot].board)
        boards[board].ready += 1
        guard boards[board].hasNames else { return }
        let named = namedEntry(slot)
        boards[board].names?.insert(named, of: slots[slot].job.name)
    }

    /// From now on the job is not claimable.
    mutating func leaveReady(_ slot: Int32) {
        precondition(slots[slot].isReady, "\(slots[slot].job.id) is not ready")
        slots[slot].isReady = false
        lanes[lane(of: slot)].ready.left(slots)
        let board = Int(slots[slot].board)
        boards[board].ready -= 1
        guard boards[board].hasNames else { return }
        let named = namedEntry(slot)
        boards[board].names?.remove(named, of: slots[slot].job.name)
    }

    private func namedEntry(_ slot: Int32) -> NamedEntry {
        NamedEntry(position: slots[slot].job.position, slot: slot, priority: slots[slot].job.priority)
    }

    /// An unclaimed job gets ready now, or when its time comes.
    mutating func becomeReadyOrWait(_ slot: Int32) {
        if let moment = slots[slot].job.notBefore, moment > now {
            armDelay(slot, until: moment)
        } else {
            becomeReady(slot)
        }
    }

    /// Ends a claim; what the job becomes is the caller's.
    mutating func endClaim(_ slot: Int32, to state: JobState) {
        count(slots[slot].board, from: .claimed, to: state)
        jobBytes -= slots[slot].job.owner?.utf8.count ?? 0
        slots[slot].job.release(to: state, at: now)
    }

    /// The lease ran out: that counts, and the job goes back to its old place after a pause like that after failures; to the
    /// trash after too many, or when it has expired meanwhile.
    mutating func endLease(_ slot: Int32, into events: inout [Event]) {
        let (owner, fence) = (slots[slot].job.owner, slots[slot].job.fence)
        let lost = slots[slot].job.lostClaims &+ (slots[slot].job.lostClaims < .max ? 1 : 0)
        let most = slots[slot].job.maxLostClaims ?? NewJob.defaultMaxLostClaims
        let pauseEnds = now.adding(milliseconds: Int64(Self.backoffMilliseconds(failures: lost)))
        changeRare(of: slot) { ($0.lostClaims, $0.notBefore) = (lost, pauseEnds) }
        endClaim(slot, to: .unclaimed)
        becomeReadyOrWait(slot)
        emit(.leaseExpired, slot, owner: owner, fence: fence, into: &events)
        if most > 0, lost >= most {
            trash(slot, because: Self.claimsLost, into: &events)
        } else {
            expireIfOverdue(slot, into: &events)
        }
    }

    /// The `last_failure` of a job that lost too many claims.
    static let claimsLost = "claims lost"

    /// The expiry of a claimed job has no effect until its claim ends; then nobody else may claim it.
    mutating func expireIfOverdue(_ slot: Int32, into events: inout [Event]) {
        guard let moment = slots[slot].job.expiresOn, moment <= now else { return }
        expire(slot, into: &events)
    }

    /// Nobody claimed the job in time.
    mutating func expire(_ slot: Int32, into events: inout [Event]) { trash(slot, because: "expired", into: &events) }

    /// A job that is not claimed leaves the board.
    private mutating func trash(_ slot: Int32, because reason: String, into events: inout [Event]) {
        if slots[slot].isReady { leaveReady(slot) }
        count(slots[slot].board, from: .unclaimed, to: .trashed)
        slots[slot].job.release(to: .trashed, at: now)
        changeRare(of: slot) { $0.lastFailure = reason }
        moveToTrash(slot)
        emit(.trashed, slot, failure: reason, into: &events)
    }

    /// The job, already marked as trashed, changes orders and gives its key and timers up.
    mutating func moveToTrash(_ slot: Int32) {
        disarmAll(slot)
        freeKey(slot)
        let lane = lane(of: slot)
        lanes[lane].onBoard.left(slots)
        lanes[lane].trash.insert(position: slots[slot].job.position, slot: slot)
    }

    /// Changes fields that most jobs leave empty, and what the job counts for with them.
    mutating func changeRare(of slot: Int32, _ change: (inout RareFields.Values) -> Void) {
        jobBytes -= StateCost.rareFields(slots[slot].job)
        slots[slot].job.changeRare(change)
        jobBytes += StateCost.rareFields(slots[slot].job)
    }

    mutating func freeKey(_ slot: Int32) {
        guard let key = slots[slot].job.key else { return }
        keys[slots[slot].board, key] = nil
    }
}

extension Job {
    /// Nobody holds it any more.
    mutating func release(to state: JobState, at now: Timestamp) {
        self.state = state
        lastModified = now
        owner = nil
        fence = nil
        leaseUntil = nil
    }
}
