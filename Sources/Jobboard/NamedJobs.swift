import DequeModule

/// A ready job in the order of the claims of its name.
struct NamedEntry: Sendable, Comparable {
    let position: UInt64
    let slot: Int32
    let priority: Priority

    static func < (left: NamedEntry, right: NamedEntry) -> Bool {
        (left.priority.rawValue, left.position) < (right.priority.rawValue, right.position)
    }

    static func == (left: NamedEntry, right: NamedEntry) -> Bool {
        left.priority == right.priority && left.position == right.position
    }
}

/// The ready jobs of one board and name, by priority and then posting order. None is left over: a job that stops being ready
/// is taken out. Most names may have a single job, which therefore costs no allocation.
enum NamedJobs: Sendable {
    case one(NamedEntry)
    case several(SortedPages)

    var count: Int {
        switch self {
        case .one: 1
        case .several(let pages): pages.count
        }
    }

    /// The first one of a priority.
    func first(_ priority: Priority) -> NamedEntry? {
        switch self {
        case .one(let entry): entry.priority == priority ? entry : nil
        case .several(let pages): pages.first(priority)
        }
    }

    mutating func insert(_ entry: NamedEntry) {
        switch self {
        case .one(let other): self = .several(SortedPages(min(entry, other), max(entry, other)))
        case .several(var pages):
            // The pages must have one owner while they change, or they would be copied.
            self = .one(entry)
            pages.insert(entry)
            self = .several(pages)
        }
    }

    /// Takes an entry out that is there; false when it was the last one.
    mutating func remove(_ entry: NamedEntry) -> Bool {
        switch self {
        case .one(let other):
            precondition(other == entry, "a ready job is not in the order of its name")
            return false
        case .several(var pages):
            self = .one(entry)
            pages.remove(entry)
            if pages.count == 1, let last = pages.first { self = .one(last) } else { self = .several(pages) }
            return true
        }
    }

    func forEach(_ body: (NamedEntry) -> Void) {
        switch self {
        case .one(let entry): body(entry)
        case .several(let pages): pages.forEach(body)
        }
    }
}

/// At least one entry, in sorted pages of at most 128, so that a change moves or (after a copy, a snapshot's view) copies one
/// page and not all.
struct SortedPages: Sendable {
    private static let pageLength = 128

    /// None is empty but the only one.
    private var pages: Deque<ContiguousArray<NamedEntry>>
    private(set) var count: Int

    /// Two entries, in order.
    init(_ first: NamedEntry, _ second: NamedEntry) {
        pages = [[first, second]]
        count = 2
    }

    var first: NamedEntry? { pages[0].first }

    func first(_ priority: Priority) -> NamedEntry? {
        let (page, index) = place(of: NamedEntry(position: 0, slot: 0, priority: priority))
        let entry: NamedEntry
        if index < pages[page].count {
            entry = pages[page][index]
        } else if page + 1 < pages.count {
            entry = pages[page + 1][0]
        } else {
            return nil
        }
        return entry.priority == priority ? entry : nil
    }

    mutating func insert(_ entry: NamedEntry) {
        count += 1
        // New jobs come in posting order: full pages stay full.
        if let last = pages.last?.last, last < entry {
            if pages[pages.count - 1].count == Self.pageLength {
                pages.append([entry])
            } else {
                pages[pages.count - 1].append(entry)
            }
            return
        }
        let (page, index) = place(of: entry)
        pages[page].insert(entry, at: index)
        guard pages[page].count > Self.pageLength else { return }
        let second = ContiguousArray(pages[page][(Self.pageLength / 2)...])
        pages[page].removeSubrange((Self.pageLength / 2)...)
        pages.insert(second, at: page + 1)
    }

    mutating func remove(_ entry: NamedEntry) {
        let (page, index) = place(of: entry)
        precondition(
            index < pages[page].count && pages[page][index] == entry, "a ready job is not in the order of its name")
        count -= 1
        pages[page].remove(at: index)
        if pages[page].isEmpty, pages.count > 1 { pages.remove(at: page) }
    }

    func forEach(_ body: (NamedEntry) -> Void) {
        for page in pages { for entry in page { body(entry) } }
    }

    /// Where an entry is or belongs: in the last page that begins at or before it, else in the first one.
    private func place(of entry: NamedEntry) -> (page: Int, index: Int) {
        var low = 0
        var high = pages.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if pages[middle][0] <= entry { low = middle } else { high = middle }
        }
        let page = low
        low = 0
        high = pages[page].count
        while low < high {
            let middle = (low + high) / 2
            if pages[page][middle] < entry { low = middle + 1 } else { high = middle }
        }
        return (page, low)
    }
}
