/// Jobs of one board and priority in posting order, for listings. An entry is valid while its slot holds the job of this
/// position in a state that belongs here; invalid ones are skipped, and cleared away when they outnumber the valid.
///
/// Held in sorted pages, so that an insertion in the middle moves one page, and so that the first write after a copy (a
/// snapshot's view) copies one page.
struct PostingOrder: Sendable {
    struct Entry: Sendable {
        let position: UInt64
        let slot: Int32
    }

    /// Where an entry is, until the next change.
    struct Place {
        fileprivate var page: Int
        fileprivate var index: Int

        mutating func moveOn() { index += 1 }
    }

    private static let pageLength = 256

    /// Which jobs of a lane it lists.
    enum Part: Sendable {
        case onBoard
        case trash
        /// Complete and remembered.
        case complete
    }

    let part: Part
    /// None is empty, unless it is the only one.
    private var pages: ContiguousArray<ContiguousArray<Entry>> = []
    /// Entries of the first page that were cleared away.
    private var cleared = 0
    /// Entries, valid or not.
    private(set) var count = 0
    private(set) var live = 0

    init(_ part: Part) {
        self.part = part
    }

    func isValid(_ entry: Entry, _ slots: borrowing JobSlots) -> Bool {
        guard slots[entry.slot].job.position == entry.position else { return false }
        switch slots[entry.slot].job.state {
        case .unclaimed, .claimed: return part == .onBoard
        case .trashed: return part == .trash
        case .complete: return part == .complete
        }
    }

    /// Nearly always at the end: new jobs come in posting order, and jobs expire in it.
    mutating func insert(position: UInt64, slot: Int32) {
        live += 1
        let entry = Entry(position: position, slot: slot)
        guard count > 0, let last = pages[pages.count - 1].last, last.position >= position else { return append(entry) }
        var place = place(after: position - 1)
        if place.index == pages[place.page].count { place = Place(page: place.page + 1, index: 0) }
        if pages[place.page][place.index].position == position {
            pages[place.page][place.index] = entry  // The job was here before and has come back.
            return
        }
        pages[place.page].insert(entry, at: place.index)
        count += 1
        if pages[place.page].count > Self.pageLength { split(place.page) }
    }

    private mutating func append(_ entry: Entry) {
        if pages.isEmpty || pages[pages.count - 1].count >= Self.pageLength { pages.append([]) }
        pages[pages.count - 1].append(entry)
        count += 1
    }

    private mutating func split(_ page: Int) {
        let start = page == 0 ? cleared : 0
        let middle = start + (pages[page].count - start) / 2
        guard middle > start else { return }
        let second = ContiguousArray(pages[page][middle...])
        pages[page].removeSubrange(middle...)
        pages.insert(second, at: page + 1)
    }

    /// The place of the first entry behind `position`.
    func place(after position: UInt64) -> Place {
        guard count > 0 else { return Place(page: pages.count, index: 0) }
        // The last page that begins at or before the position, else the first one.
        var low = 0
        var high = pages.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if pages[middle][0].position <= position { low = middle } else { high = middle }
        }
        let page = low
        low = page == 0 ? cleared : 0
        high = pages[page].count
        while low < high {
            let middle = (low + high) / 2
            if pages[page][middle].position <= position { low = middle + 1 } else { high = middle }
        }
        return Place(page: page, index: low)
    }

    /// The place behind all entries.
    var end: Place { Place(page: pages.count, index: 0) }

    /// The first entry from a place on, valid or not; the place is moved to it.
    func entry(from place: inout Place) -> Entry? {
        while place.page < pages.count {
            if place.index < pages[place.page].count { return pages[place.page][place.index] }
            place = Place(page: place.page + 1, index: 0)
        }
        return nil
    }

    /// The first valid entry from a place on; the place is moved to it.
    func validEntry(from place: inout Place, _ slots: borrowing JobSlots) -> Entry? {
        while let entry = entry(from: &place) {
            if isValid(entry, slots) { return entry }
            place.moveOn()
        }
        return nil
    }

    /// One of the jobs, already marked, belongs here no more.
    mutating func left(_ slots: borrowing JobSlots) {
        live -= 1
        while count > 0, !isValid(pages[0][cleared], slots) { clearFirst() }
        guard count > 2 * live + 64 else { return }
        var kept = PostingOrder(part)
        var place = place(after: 0)
        while let entry = validEntry(from: &place, slots) {
            kept.append(entry)
            place.moveOn()
        }
        kept.live = live
        self = kept
    }

    private mutating func clearFirst() {
        cleared += 1
        count -= 1
        guard cleared == pages[0].count else { return }
        if pages.count > 1 { pages.removeFirst() } else { pages[0].removeAll(keepingCapacity: true) }
        cleared = 0
    }
}
