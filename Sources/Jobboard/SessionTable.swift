import DequeModule

/// What is kept of a client between its requests.
struct Session: Sendable {
    /// 0 in an empty slot.
    var id: UInt64
    /// What its client's token hashes to.
    var key: SessionKey
    var ttlMilliseconds: UInt32
    var lastUsed: Timestamp
    /// Outcomes of sequence numbers below this one are forgotten.
    var floor: UInt64 = 0
    /// The sequence numbers, in order, whose outcomes the client may still ask for again.
    private(set) var keptSequences: Deque<UInt64> = []
    /// Their outcomes.
    private(set) var keptOutcomes: Deque<RetainedOutcome> = []
    /// What these count for.
    private(set) var keptBytes = 0
    /// The class under which it is in `RetentionOrder`; see there.
    var retentionClass: UInt8 = 0
    /// Something with an effect was done under it.
    var hasActed = false
    /// The deadline for which its timer is armed.
    var armed = Timer.none

    /// A session that has done nothing yet ends soon, so that a flood of them does not fill the table for long.
    var deadline: Timestamp {
        lastUsed.adding(milliseconds: Int64(hasActed ? ttlMilliseconds : min(ttlMilliseconds, Self.idleMilliseconds)))
    }

    /// The longest life of a session under which nothing with an effect was done.
    static let idleMilliseconds: UInt32 = 60_000

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

    func outcome(of sequence: UInt64) -> RetainedOutcome? {
        let place = index(of: sequence)
        return place < keptSequences.count && keptSequences[place] == sequence ? keptOutcomes[place] : nil
    }

    /// Gives the bytes of the outcomes that are forgotten now.
    @discardableResult
    mutating func forget(below sequence: UInt64) -> Int {
        floor = max(floor, sequence)
        let before = keptBytes
        while let first = keptSequences.first, first < floor {
            keptSequences.removeFirst()
            keptBytes -= keptOutcomes.removeFirst().cost
        }
        return before - keptBytes
    }

    /// Past its bounds the lowest is forgotten together with everything below it: a client that lets so many pile up loses
    /// answers, but no request of it can have its effect twice.
    ///
    /// Gives by how many bytes it keeps more than before.
    mutating func keep(_ outcome: consuming RetainedOutcome, sequence: UInt64, _ bounds: RetentionBounds) -> Int {
        let before = keptBytes
        keptBytes += outcome.cost
        let place = index(of: sequence)
        if place == keptSequences.count {
            keptSequences.append(sequence)
            keptOutcomes.append(outcome)
        } else {
            keptSequences.insert(sequence, at: place)
            keptOutcomes.insert(outcome, at: place)
        }
        while keptSequences.count > bounds.count || keptBytes > bounds.bytes, let first = keptSequences.first {
            forget(below: first + 1)
        }
        return keptBytes - before
    }
}

extension SessionCommand {
    /// The answer to a copy of a request whose answer the client says it has.
    package static func acknowledgedBefore(_ sequence: UInt64) -> JobboardError {
        JobboardError(.invalidArgument, "request \(sequence) of this session was already acknowledged", outcome: .unknown)
    }
}

/// The live sessions, in the order of their last use.
struct SessionTable: Sendable {
    /// What to do with a command that came under a session.
    enum Admission {
        case new
        case answered(RetainedOutcome)
        /// Not to be carried out: its number makes no sense, or its answer was acknowledged or forgotten.
        case refused(JobboardError)
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
    private var keys: [SessionKey: Int32] = [:]
    var lastID: UInt64 = 0
    /// The two ends of the order of last use.
    private var oldest: Int32 = -1
    private var newest: Int32 = -1
    /// What the answers that all sessions keep count for.
    private(set) var keptBytes = 0
    private var retention = RetentionOrder()
    /// The newest one's, since the next command is often its as well.
    private var newestID: UInt64 = 0

    var count: Int { index.count }

    subscript(slot: Int32) -> Session {
        @inline(__always) get { slots[Int(slot)] }
        @inline(__always) _modify { yield &slots[Int(slot)] }
    }

    func slot(of key: SessionKey) -> Int32? { keys[key] }

    func slot(of id: UInt64) -> Int32? { id == newestID && newest >= 0 ? newest : index[id] }

    mutating func open(_ key: SessionKey, ttlMilliseconds: UInt32, now: Timestamp) -> Int32 {
        lastID += 1
        return add(Session(id: lastID, key: key, ttlMilliseconds: ttlMilliseconds, lastUsed: now))
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
        keys[session.key] = slot
        link(slot)
        return slot
    }

    mutating func close(_ slot: Int32) {
        unlink(slot)
        let id = slots[Int(slot)].id
        index[id] = nil
        keys[slots[Int(slot)].key] = nil
        keptBytes -= slots[Int(slot)].keptBytes
        retention.move(id, from: slots[Int(slot)].retentionClass, to: 0)
        settleRetention()
        slots[Int(slot)] = Session(
            id: 0, key: SessionKey(high: 0, low: 0), ttlMilliseconds: 0, lastUsed: Timestamp(milliseconds: 0))
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
            return .refused(JobboardError(.invalidArgument, "request numbers count from 1 and can't acknowledge themselves"))
        }
        if let outcome = slots[Int(slot)].outcome(of: call.sequence) { return .answered(outcome) }
        guard call.sequence >= slots[Int(slot)].floor else {
            return .refused(SessionCommand.acknowledgedBefore(call.sequence))
        }
        return .new
    }

    mutating func acknowledge(_ slot: Int32, below sequence: UInt64) {
        let forgotten = slots[Int(slot)].forget(below: sequence)
        guard forgotten > 0 else { return }
        keptBytes -= forgotten
        reclassify(slot)
    }

    /// Keeps an answer, within the bounds of its session and of all sessions.
    mutating func keep(_ outcome: consuming RetainedOutcome, sequence: UInt64, in slot: Int32, _ limits: BoardLimits) {
        keptBytes += slots[Int(slot)].keep(outcome, sequence: sequence, RetentionBounds(limits))
        reclassify(slot)
        while keptBytes > limits.retainedBytes, let slot = retention.first.flatMap({ index[$0] }),
            let lowest = slots[Int(slot)].keptSequences.first
        {
            acknowledge(slot, below: lowest + 1)
        }
    }

    /// The session may keep so much more or less than before that its place in the order is another.
    private mutating func reclassify(_ slot: Int32) {
        let (old, new) = (slots[Int(slot)].retentionClass, RetentionOrder.class(of: slots[Int(slot)].keptBytes))
        guard old != new else { return }
        slots[Int(slot)].retentionClass = new
        retention.move(slots[Int(slot)].id, from: old, to: new)
        settleRetention()
    }

    /// The first entry of the order is that of a live session in its present class, and stale ones are no majority.
    private mutating func settleRetention() {
        retention.settle { [slots, index] id, itsClass in
            index[id].map { slots[Int($0)].retentionClass == itsClass } ?? false
        }
    }

    /// What all sessions count for.
    var accountedBytes: Int { keptBytes + count * StateCost.session }

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
