extension BoardMachine {
    /// One page of a board's jobs, by priority and then posting order. An unknown board has none.
    ///
    /// A page looks at no more than `pageScan` jobs, and as many left-over entries, so one of a choosy listing may be short,
    /// even empty, and still have a cursor: only a missing cursor says that the end was reached. Throws `invalid_argument`
    /// for a bad limit.
    package func jobs(_ query: JobsQuery) throws(JobboardError) -> JobsPage {
        guard query.limit >= 1, query.limit <= limits.pageJobs else {
            throw JobboardError(.invalidArgument, "the limit of a listing must be 1 to \(limits.pageJobs)")
        }
        var page = PageBuilder(query: query, limits, position: lastPosition)
        guard let board = boardIndexes[query.board] else { return page.page }
        for priority in Priority.allCases {
            var after: UInt64 = 0
            if let cursor = query.cursor {
                guard priority >= cursor.priority else { continue }
                if priority == cursor.priority { after = cursor.position }
            }
            guard list(lane(board, priority), priority, after: after, into: &page) else { break }
        }
        return page.page
    }

    /// Merges what is on the board, in the trash and remembered. False when the page is done.
    private func list(_ lane: Int, _ priority: Priority, after: UInt64, into page: inout PageBuilder) -> Bool {
        var live = Walk(lanes[lane].onBoard, after: after, wanted: page.wants(.unclaimed) || page.wants(.claimed))
        var trash = Walk(lanes[lane].trash, after: after, wanted: page.wants(.trashed))
        var complete = Walk(lanes[lane].complete, after: after, wanted: page.wants(.complete))
        while true {
            live.settle(slots, skips: &page.skipsOnBoard)
            trash.settle(slots, skips: &page.skipsInTrash)
            complete.settle(slots, skips: &page.skipsOfComplete)
            let position = min(live.position, trash.position, complete.position)
            guard position < .max else { return true }
            let slot: Int32?
            if live.position == position {
                slot = live.take()
            } else if trash.position == position {
                slot = trash.take()
            } else {
                slot = complete.take()
            }
            guard let slot else {
                // Whether a job is at this place is not known, but none that is listed comes before it.
                page.end(before: position, priority)
                return false
            }
            guard page.consider(slots[slot].job) else { return false }
        }
    }
}

/// A place in a posting order.
private struct Walk {
    private let order: PostingOrder
    private var place: PostingOrder.Place
    /// The valid entry at the place, once it is known.
    private var found: PostingOrder.Entry?
    /// Where the next valid entry is, or, while there is none in `found`, the first position where it may be; `.max` at the end.
    private(set) var position: UInt64

    init(_ order: PostingOrder, after position: UInt64, wanted: Bool) {
        self.order = order
        place = wanted ? order.place(after: position) : order.end
        self.position = position < .max ? position + 1 : .max
    }

    /// Goes on to the next valid entry, past so many invalid ones at most.
    mutating func settle(_ slots: borrowing JobSlots, skips: inout Int) {
        while found == nil, position < .max {
            guard let entry = order.entry(from: &place) else {
                position = .max
                return
            }
            if order.isValid(entry, slots) {
                found = entry
                position = entry.position
                return
            }
            guard skips > 0 else { return }
            skips -= 1
            place.moveOn()
            position = entry.position + 1
        }
    }

    /// The slot of the valid entry at `position`; nil when it is not known whether there is one.
    mutating func take() -> Int32? {
        guard let entry = found else { return nil }
        found = nil
        place.moveOn()
        position = entry.position + 1
        return entry.slot
    }
}

/// A page as it fills.
private struct PageBuilder {
    let query: JobsQuery
    private var scansLeft: Int
    private var bytesLeft: Int
    /// How many left-over entries of each order may still be passed. Each order has its own, so that each page gets further.
    var skipsOnBoard: Int
    var skipsInTrash: Int
    var skipsOfComplete: Int
    private(set) var page: JobsPage
    private var last: JobsQuery.Cursor?

    init(query: JobsQuery, _ limits: BoardLimits, position: UInt64) {
        self.query = query
        scansLeft = limits.pageScan
        bytesLeft = limits.pageBytes
        let skips = max(1, limits.pageScan / 3)
        (skipsOnBoard, skipsInTrash, skipsOfComplete) = (skips, skips, skips)
        page = JobsPage(jobs: [], cursor: nil, position: position)
    }

    func wants(_ state: JobState) -> Bool {
        query.states.isEmpty ? state == .unclaimed || state == .claimed : query.states.contains(state)
    }

    /// Adds the job if it is asked for. False when the page ends before this job: then the cursor is where it goes on.
    mutating func consider(_ job: Job) -> Bool {
        let matches =
            wants(job.state) && (query.owner == nil || query.owner == job.owner)
            && (query.name == nil || query.name == job.name)
        if scansLeft == 0 || bytesLeft <= 0 || (matches && page.jobs.count == Int(query.limit)) {
            page.cursor = last
            return false
        }
        scansLeft -= 1
        if matches {
            page.jobs.append(job)
            bytesLeft -= job.answerBytes
        }
        last = JobsQuery.Cursor(priority: job.priority, position: job.position)
        return true
    }

    /// The page ends; the next one begins at this place.
    mutating func end(before position: UInt64, _ priority: Priority) {
        page.cursor = JobsQuery.Cursor(priority: priority, position: position - 1)
    }
}
