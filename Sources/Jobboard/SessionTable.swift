import DequeModule

/// What is kept of a client between its requests.
struct Session: Sendable {
    /// 0 in an empty slot.
    var id: UInt64
    var ttlMilliseconds: UInt32
    var lastUsed: Timestamp
    /// Outcomes of sequence numbers below this one are forgotten.
    var floor: UInt64 = 0
    /// The sequence numbers, in order, whose outcomes the client may still ask for again.
    private(set) var keptSequences: Deque<UInt64> = []
    /// Their outcomes.
    private(set) var keptOutcomes: Deque<Outcome> = []
    /// The deadline for which its timer is armed.
    var armed = Timer.none

    var deadline: Timestamp { lastUsed.adding(milliseconds: Int64(ttlMilliseconds)) }

    /// The index of the first kept outcome with this sequence number or a higher one; nearly always the end.
    func index(of sequence: UInt64) -> Int {
        guard let last = keptSequences.last, last >= sequence else { return keptSequences.count }
        var low = 0
        var high = keptSequences.count
        while low < high {
            let middle = (low + high) / 2
            if keptSequences[middle] < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func outcome(of sequence: UInt64) -> Outcome? {
        let place = index(of: sequence)
        return place < keptSequences.count && keptSequences[place] == sequence ? keptOutcomes[place] : nil
    }

    mutating func forget(below sequence: UInt64) {
        floor = max(floor, sequence)
        while let first = keptSequences.first, first < floor {
            keptSequences.removeFirst()
            keptOutcomes.removeFirst()
        }
    }

    /// Past the window the lowest is forgotten together with everything below it: a client that lets so many pile up loses
    /// answers, but no request of it can have its effect twice.
    mutating func keep(_ outcome: Outcome, sequence: UInt64, window: Int) {
        let place = index(of: sequence)
        if place == keptSequences.count {
            keptSequences.append(sequence)
            keptOutcomes.append(outcome)
        } else {
            keptSequences.insert(sequence, at: place)
            keptOutcomes.insert(outcome, at: place)
        }
        if keptSequences.count > window { forget(below: keptSequences[0] + 1) }
    }
}

extension SessionCommand {
    /// The answer to a copy of a request whose answer the client says it has.
    package static func acknowledgedBefore(_ sequence: UInt64) -> JobboardError {
        JobboardError(.invalidArgument, "request \(sequence) of this session was already acknowledged", outcome: .unknown)
    }
}

/// The live sessions, and who of them was silent longest.
struct SessionTable: Sendable {
    /// What to do with a command that came under a session.
    enum Admission {
        case new
        /// Answered before, or not to be answered at all.
        case answered(Outcome)
    }

    /// The neighbours of a session in the order of last use; -1 for none.
    private struct Neighbours {
        var older: Int32 = -1
        var newer: Int32 = -1
    }

    private var slots = Pages<Session>()
    /// By slot. Apart from the sessions, since each command changes some: these are small enough to be copied whole.
    private var neighbours: [Neighbours] = []
    private var free: [Int32] = []
    private var index: [UInt64: Int32] = [:]
    var lastID: UInt64 = 0
    /// The two ends of the order of last use.
    private(set) var oldest: Int32 = -1
    private var newest: Int32 = -1
    /// The newest one's, since the next command is often its as well.
    private var newestID: UInt64 = 0

    var count: Int { index.count }

    subscript(slot: Int32) -> Session {
        @inline(__always) get { slots[Int(slot)] }
        @inline(__always) _modify { yield &slots[Int(slot)] }
    }

    func slot(of id: UInt64) -> Int32? { id == newestID && newest >= 0 ? newest : index[id] }

    mutating func open(ttlMilliseconds: UInt32, now: Timestamp) -> Int32 {
        lastID += 1
        return add(Session(id: lastID, ttlMilliseconds: ttlMilliseconds, lastUsed: now))
    }

    /// Takes in a session that was used later than all others.
    mutating func add(_ session: Session) -> Int32 {
        let slot: Int32
        if let reused = free.popLast() {
            slot = reused
            slots[Int(slot)] = session
        } else {
            slot = Int32(slots.count)
            slots.append(session)
            neighbours.append(Neighbours())
        }
        index[session.id] = slot
        link(slot)
        return slot
    }

    mutating func close(_ slot: Int32) {
        unlink(slot)
        index[slots[Int(slot)].id] = nil
        slots[Int(slot)] = Session(id: 0, ttlMilliseconds: 0, lastUsed: Timestamp(milliseconds: 0))
        free.append(slot)
    }

    /// A command came: the session lives on from now.
    mutating func touch(_ slot: Int32, now: Timestamp) {
        slots[Int(slot)].lastUsed = now
        guard slot != newest else { return }
        unlink(slot)
        link(slot)
    }

    /// Whether a command is to be carried out. The caller has applied `acknowledgedBelow` or could do so without a change
    /// of the answer: no valid command acknowledges itself.
    func admission(_ slot: Int32, _ call: SessionCommand) -> Admission {
        guard call.sequence > 0, call.acknowledgedBelow <= call.sequence else {
            return .answered(
                .refused(JobboardError(.invalidArgument, "request numbers count from 1 and can't acknowledge themselves")))
        }
        if let outcome = slots[Int(slot)].outcome(of: call.sequence) { return .answered(outcome) }
        guard call.sequence >= slots[Int(slot)].floor else {
            return .answered(.refused(SessionCommand.acknowledgedBefore(call.sequence)))
        }
        return .new
    }

    mutating func acknowledge(_ slot: Int32, below sequence: UInt64) {
        slots[Int(slot)].forget(below: sequence)
    }

    mutating func keep(_ outcome: Outcome, sequence: UInt64, in slot: Int32, window: Int) {
        slots[Int(slot)].keep(outcome, sequence: sequence, window: window)
    }

    /// The slots of the live sessions, the one silent longest first.
    var byLastUse: [Int32] {
        var order: [Int32] = []
        var slot = oldest
        while slot >= 0 {
            order.append(slot)
            slot = neighbours[Int(slot)].newer
        }
        return order
    }

    private mutating func link(_ slot: Int32) {
        neighbours[Int(slot)] = Neighbours(older: newest)
        if newest >= 0 { neighbours[Int(newest)].newer = slot } else { oldest = slot }
        becomeNewest(slot)
    }

    private mutating func becomeNewest(_ slot: Int32) {
        newest = slot
        newestID = slot >= 0 ? slots[Int(slot)].id : 0
    }

    private mutating func unlink(_ slot: Int32) {
        let (older, newer) = (neighbours[Int(slot)].older, neighbours[Int(slot)].newer)
        if older >= 0 { neighbours[Int(older)].newer = newer } else { oldest = newer }
        if newer >= 0 { neighbours[Int(newer)].older = older } else { becomeNewest(older) }
    }
}
