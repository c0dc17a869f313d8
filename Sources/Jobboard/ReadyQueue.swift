/// A job's place in the order of claims. Valid while the slot still holds the job of this position, and the job is ready
/// for the same time as when the entry was made; otherwise it is skipped.
struct ReadyEntry: Sendable, Comparable {
    let position: UInt64
    let slot: Int32
    let epoch: UInt32

    static func < (left: ReadyEntry, right: ReadyEntry) -> Bool {
        (left.position, left.epoch) < (right.position, right.epoch)
    }

    func isValid(_ slots: borrowing JobSlots) -> Bool {
        slots[slot].isReady && slots[slot].readyEpoch == epoch && slots[slot].job.position == position
    }
}

/// The claimable jobs of one board and priority, in posting order.
///
/// New jobs come in posting order, so a queue does for them; jobs that come back (given up, lease over, delay over) have
/// old positions and go to a heap. A job that stops being ready otherwise than by being taken from the front leaves its
/// entry behind; such entries go when they reach the front, or all at once when they outnumber the valid ones: so neither
/// memory nor the cost of a claim grows with what lies between an old job and the end.
struct ReadyQueue: Sendable {
    private var fresh = PagedQueue<ReadyEntry>()
    private var returned = PagedHeap<ReadyEntry>()
    /// Valid entries, that is ready jobs.
    private(set) var live = 0

    var entryCount: Int { fresh.count + returned.count }

    mutating func insert(_ entry: ReadyEntry) {
        live += 1
        if let last = fresh.last, last.position >= entry.position {
            returned.insert(entry)
        } else {
            fresh.append(entry)
        }
    }

    /// Takes the first job's entry out. The caller marks the job as not ready any more and then says so with `left`.
    mutating func takeFirst(_ slots: borrowing JobSlots) -> Int32? {
        while let first = fresh.first, !first.isValid(slots) { _ = fresh.popFirst() }
        while let first = returned.min, !first.isValid(slots) { returned.popMin() }
        guard let new = fresh.first else { return returned.popMin()?.slot }
        guard let old = returned.min, old.position < new.position else { return fresh.popFirst()?.slot }
        return returned.popMin()?.slot
    }

    /// One of the ready jobs, already marked, is ready no more.
    mutating func left(_ slots: borrowing JobSlots) {
        live -= 1
        if entryCount > 2 * live + 64 { compact(slots) }
    }

    private mutating func compact(_ slots: borrowing JobSlots) {
        var kept = PagedQueue<ReadyEntry>()
        fresh.forEach { entry in if entry.isValid(slots) { kept.append(entry) } }
        fresh = kept
        var keptReturned: [ReadyEntry] = []
        for entry in returned.unordered where entry.isValid(slots) { keptReturned.append(entry) }
        returned = PagedHeap(keptReturned)
    }

    /// The slots of the ready jobs, in no order that may be used.
    func unorderedSlots(_ slots: borrowing JobSlots) -> [Int32] {
        var found: [Int32] = []
        fresh.forEach { entry in if entry.isValid(slots) { found.append(entry.slot) } }
        for entry in returned.unordered where entry.isValid(slots) { found.append(entry.slot) }
        return found
    }
}
