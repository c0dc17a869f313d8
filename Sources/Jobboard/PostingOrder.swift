import DequeModule

/// Jobs of one board and priority in posting order, for listings. An entry is valid while its slot holds the job of this
/// position in a state that belongs here; invalid ones are skipped, and cleared away when they outnumber the valid.
struct PostingOrder: Sendable {
    struct Entry: Sendable {
        let position: UInt64
        let slot: Int32
    }

    /// Whether it holds the jobs in the trash or those on the board.
    let trashed: Bool
    private var entries: Deque<Entry> = []
    private(set) var live = 0

    init(trashed: Bool) {
        self.trashed = trashed
    }

    var count: Int { entries.count }

    subscript(index: Int) -> Entry { entries[index] }

    func isValid(_ entry: Entry, _ slots: borrowing JobSlots) -> Bool {
        guard slots[entry.slot].job.position == entry.position else { return false }
        switch slots[entry.slot].job.state {
        case .unclaimed, .claimed: return !trashed
        case .trashed: return trashed
        case .complete: return false
        }
    }

    /// Nearly always at the end: new jobs come in posting order, and jobs expire in it.
    mutating func insert(position: UInt64, slot: Int32) {
        live += 1
        let entry = Entry(position: position, slot: slot)
        guard let last = entries.last, last.position >= position else {
            entries.append(entry)
            return
        }
        let place = index(after: position - 1)
        if entries[place].position == position {
            entries[place] = entry  // The job was here before and has come back.
        } else {
            entries.insert(entry, at: place)
        }
    }

    /// The index of the first entry behind `position`.
    func index(after position: UInt64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].position <= position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// One of the jobs, already marked, belongs here no more.
    mutating func left(_ slots: borrowing JobSlots) {
        live -= 1
        while let first = entries.first, !isValid(first, slots) { entries.removeFirst() }
        guard entries.count > 2 * live + 64 else { return }
        var kept: Deque<Entry> = []
        for entry in entries where isValid(entry, slots) { kept.append(entry) }
        entries = kept
    }
}
