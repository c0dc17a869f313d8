/// Puts a machine together from the parts that a `BoardSaver` gave, in the same order.
///
/// Total: parts that no machine can come apart into are refused, whoever made them up, and what is accepted behaves like the
/// machine that was saved. Throws `BrokenInvariant`; after that it is of no use.
package struct BoardRestorer: Sendable {
    private var machine: BoardMachine
    private var timers: [Timer] = []
    /// Where the last job belongs: board, priority, whether trashed, position.
    private var lastPlace: (UInt32, UInt8, UInt8, UInt64) = (0, 0, 0, 0)
    /// The slot of the last session.
    private var session: Int32 = -1
    /// What the whole state counts for, as it says itself; nothing beyond is taken in.
    private let accountedBytes: Int

    /// No counter of a real log comes near it, and adding to it can't overflow.
    private static let largest: UInt64 = 1 << 62
    /// The texts of a refusal name two clients at most, besides words of our own.
    private static let longestRefusal = 4096

    package init(limits: BoardLimits, counters: SavedCounters) throws(BrokenInvariant) {
        machine = BoardMachine(limits: limits)
        try require(counters.accountedBytes <= Self.largest, "\(counters.accountedBytes) is no number of bytes")
        accountedBytes = Int(counters.accountedBytes)
        let now = counters.now.milliseconds
        try require(now >= 0 && now <= Int64(Self.largest), "\(now) is no time of a log")
        for counter in [counters.lastPosition, counters.lastFence, counters.lastSession] {
            try require(counter <= Self.largest, "\(counter) is no counter of a log")
        }
        machine.now = counters.now
        machine.lastPosition = counters.lastPosition
        machine.lastFence = counters.lastFence
        machine.sessions.lastID = counters.lastSession
        try require(counters.completeElsewhere <= counters.lastPosition, "more jobs are complete than there were events")
        machine.completeElsewhere = Int(counters.completeElsewhere)
        machine.totals.complete = machine.completeElsewhere
    }

    private func requireWithinCount() throws(BrokenInvariant) {
        let bytes = machine.accountedBytes
        try require(bytes <= accountedBytes, "the state counts for more than the \(accountedBytes) bytes that it says")
    }

    package mutating func add(_ board: SavedBoard) throws(BrokenInvariant) {
        try require(machine.boards.count < machine.limits.boards, "there are too many boards")
        do throws(JobboardError) {
            try machine.check(board: board.name)
        } catch {
            throw BrokenInvariant(error.message)
        }
        if let last = machine.boards.last { try require(last.name < board.name, "board \(board.name) is out of order") }
        // Each consumed job has an event of its own.
        let room = machine.lastPosition - UInt64(machine.totals.complete)
        try require(board.complete <= room, "board \(board.name) has more complete jobs than there were events")
        let index = Int(machine.boardForPost(board.name))
        try requireWithinCount()
        machine.boards[index].counts.complete = Int(board.complete)
        if board.hasNames { machine.boards[index].names = .complete }
        machine.totals.complete += Int(board.complete)
    }

    /// A job on a board or in the trash.
    package mutating func add(_ saved: SavedJob) throws(BrokenInvariant) {
        let job = saved.job
        try require(job.state != .complete, "\(job.id) is complete and not among the complete ones")
        let place = (saved.board, job.priority.rawValue, job.state == .trashed ? 1 : 0 as UInt8, job.position)
        try require(lastPlace < place, "\(job.id) is out of order")
        lastPlace = place
        let slot = try insert(saved)
        let board = machine.slots[slot].board
        machine.count(board, from: nil, to: job.state)
        let lane = machine.lane(of: slot)
        guard job.state != .trashed else {
            try require(!saved.isReady && !saved.expiryArmed, "\(job.id) is in the trash and ready, or expires")
            return machine.lanes[lane].trash.insert(position: job.position, slot: slot)
        }
        machine.lanes[lane].onBoard.insert(position: job.position, slot: slot)
        if let key = job.key {
            try require(machine.keys[board, key] == nil, "\(job.id) has the key of another job")
            machine.keys[board, key] = slot
        }
        try arm(slot, saved)
    }

    /// What the job waits for: to be claimed, a moment, the end of its lease, its expiry.
    private mutating func arm(_ slot: Int32, _ saved: SavedJob) throws(BrokenInvariant) {
        let job = saved.job
        if job.state == .claimed {
            try require(!saved.isReady, "\(job.id) is claimed and ready")
            guard let end = job.leaseUntil else { throw BrokenInvariant("\(job.id) is claimed for ever") }
            machine.slots[slot].leaseArmed = end.milliseconds
            try addTimer(.lease, end, job.position, slot)
        } else if saved.isReady {
            machine.becomeReady(slot)
        } else {
            guard let moment = job.notBefore else { throw BrokenInvariant("\(job.id) waits for no moment") }
            machine.slots[slot].delayArmed = moment.milliseconds
            try addTimer(.delay, moment, job.position, slot)
        }
        guard saved.expiryArmed else { return }
        guard let moment = job.expiresOn else { throw BrokenInvariant("\(job.id) expires at no moment") }
        machine.slots[slot].expiryArmed = true
        try addTimer(.expiry, moment, job.position, slot)
    }

    private mutating func addTimer(
        _ kind: Timer.Kind, _ deadline: Timestamp, _ position: UInt64, _ slot: Int32
    ) throws(BrokenInvariant) {
        try require(deadline.milliseconds < Timer.none, "a deadline lies beyond all time")
        timers.append(Timer(deadline: deadline.milliseconds, kind: kind, position: position, slot: slot))
    }

    /// A complete job; the one to forget first comes first.
    package mutating func addCompleted(_ saved: SavedJob) throws(BrokenInvariant) {
        let job = saved.job
        try require(job.state == .complete && !saved.isReady && !saved.expiryArmed, "\(job.id) is not complete")
        let slot = try insert(saved)
        machine.completed.append(slot, job)
        machine.boards[Int(machine.slots[slot].board)].remembered += 1
        machine.lanes[machine.lane(of: slot)].complete.insert(position: job.position, slot: slot)
        try require(!machine.completed.isOver(machine.limits), "too many complete jobs are remembered")
    }

    private mutating func insert(_ saved: SavedJob) throws(BrokenInvariant) -> Int32 {
        let job = saved.job
        try require(Int(saved.board) < machine.boards.count, "\(job.id) is on a board that there is not")
        try require(machine.slots.count < machine.limits.jobs, "there are too many jobs")
        try require(job.position >= 1 && job.position <= machine.lastPosition, "\(job.id): bad position")
        try require(machine.limits.allow(job), "\(job.id) has a text longer than the limits allow")
        try require(machine.ids[job.id] == nil, "there are two jobs \(job.id)")
        let board = Int32(saved.board)
        let name = machine.boards[Int(board)].name
        try require(!job.isPartial, "\(job.id) is a part of a job")
        machine.jobBytes += StateCost.job(job)
        try requireWithinCount()
        let slot = machine.slots.insert(JobRecord(job: job.with(board: name), content: saved.content, board: board))
        machine.ids[job.id] = slot
        return slot
    }

    package mutating func add(_ saved: SavedSession) throws(BrokenInvariant) {
        try require(machine.sessions.count < machine.limits.sessions, "there are too many sessions")
        try require(saved.id >= 1 && saved.id <= machine.sessions.lastID, "session \(saved.id) was never opened")
        try require(machine.sessions.slot(of: saved.id) == nil, "there are two sessions \(saved.id)")
        try require(machine.sessions.slot(of: saved.key) == nil, "two sessions have one key")
        var new = Session(
            id: saved.id, key: saved.key, ttlMilliseconds: saved.ttlMilliseconds, lastUsed: saved.lastUsed, floor: saved.floor)
        new.hasActed = saved.hasActed
        new.armed = new.deadline.milliseconds
        session = machine.sessions.add(new)
        try requireWithinCount()
        try addTimer(.session, new.deadline, saved.id, session)
    }

    /// What the last session keeps.
    package mutating func add(_ saved: SavedOutcome) throws(BrokenInvariant) {
        try require(session >= 0, "an outcome without a session")
        let kept = machine.sessions[session].keptSequences
        try require(kept.count < machine.limits.sessionWindow, "session \(machine.sessions[session].id) keeps too much")
        let isNext = saved.sequence >= max(1, machine.sessions[session].floor) && kept.last ?? 0 < saved.sequence
        try require(isNext, "session \(machine.sessions[session].id) keeps what it should have forgotten")
        if case .refused(let error) = saved.outcome {
            let bytes = error.code.rawValue.utf8.count + error.message.utf8.count + (error.owner?.utf8.count ?? 0)
            try require(bytes <= Self.longestRefusal, "a refusal of \(bytes) bytes is kept")
        }
        machine.sessions.keep(saved.outcome, sequence: saved.sequence, in: session, machine.limits)
        try require(machine.sessions[session].keptSequences.last == saved.sequence, "a session keeps too many bytes")
        try requireWithinCount()
    }

    /// The machine, looked through once more as a whole.
    package mutating func finish() throws(BrokenInvariant) -> BoardMachine {
        try require(machine.accountedBytes == accountedBytes, "the state counts for other bytes than it says")
        machine.timers.replace(with: timers)
        timers = []
        try machine.inspect()
        return machine
    }
}

extension BoardLimits {
    /// Whether all texts of a job are as long as a command may make them.
    fileprivate func allow(_ job: Job) -> Bool {
        guard (1...nameBytes).contains(job.name.utf8.count), job.details.count <= jsonBytes else { return false }
        guard (job.owner?.utf8.count ?? 0) <= nameBytes else { return false }
        guard let rare = job.rare?.values else { return true }
        return (1...nameBytes).contains(rare.key?.utf8.count ?? 1) && (rare.book?.name.utf8.count ?? 0) <= nameBytes
            && (rare.lastFailure?.utf8.count ?? 0) <= max(failureBytes, BoardMachine.claimsLost.utf8.count)
            && (rare.result?.count ?? 0) <= jsonBytes
    }
}
