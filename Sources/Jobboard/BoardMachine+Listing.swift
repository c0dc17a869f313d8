import DequeModule

extension BoardMachine {
    /// One page of a board's jobs, by priority and then posting order. An unknown board has none.
    ///
    /// A page looks at no more than `pageScan` jobs, so one of a choosy listing may be short, even empty, and still have a
    /// cursor: only a missing cursor says that the end was reached. Throws `invalid_argument` for a bad limit.
    package func jobs(_ query: JobsQuery) throws(JobboardError) -> JobsPage {
        guard query.limit >= 1, query.limit <= limits.pageJobs else {
            throw JobboardError(.invalidArgument, "the limit of a listing must be 1 to \(limits.pageJobs)")
        }
        var page = PageBuilder(
            query: query, scansLeft: limits.pageScan, bytesLeft: limits.answerBytes, position: lastPosition)
        guard let board = boardIndexes[query.board] else { return page.page }
        let complete = query.states.contains(.complete) ? rememberedJobs(of: query.board) : []
        for priority in Priority.allCases {
            var after: UInt64 = 0
            if let cursor = query.cursor {
                guard priority >= cursor.priority else { continue }
                if priority == cursor.priority { after = cursor.position }
            }
            guard list(board, priority, after: after, complete, into: &page) else { break }
        }
        return page.page
    }

    /// Merges what is on the board, in the trash and remembered. False when the page is done.
    private func list(
        _ board: Int32, _ priority: Priority, after: UInt64, _ complete: [Job], into page: inout PageBuilder
    ) -> Bool {
        let lane = lane(board, priority)
        var live = Walk(lanes[lane].onBoard, after: after, wanted: page.wants(.unclaimed) || page.wants(.claimed))
        var trash = Walk(lanes[lane].trash, after: after, wanted: page.wants(.trashed))
        let done = complete.filter { $0.priority == priority && $0.position > after }
        var doneIndex = 0
        while true {
            let first = live.next(slots)
            let second = trash.next(slots)
            let third = doneIndex < done.count ? done[doneIndex].position : .max
            let position = min(first?.position ?? .max, second?.position ?? .max, third)
            guard position < .max else { return true }
            let goesOn: Bool
            if let first, first.position == position {
                goesOn = page.consider(slots[first.slot].job)
                live.place.moveOn()
            } else if let second, second.position == position {
                goesOn = page.consider(slots[second.slot].job)
                trash.place.moveOn()
            } else {
                goesOn = page.consider(done[doneIndex])
                doneIndex += 1
            }
            guard goesOn else { return false }
        }
    }

    private func rememberedJobs(of board: String) -> [Job] {
        completed.ring.lazy.map(\.slot).filter { slots[$0].job.board == board }.map { slots[$0].job }.sorted {
            $0.position < $1.position
        }
    }
}

/// A place in a posting order.
private struct Walk {
    let order: PostingOrder
    var place: PostingOrder.Place

    init(_ order: PostingOrder, after position: UInt64, wanted: Bool) {
        self.order = order
        place = wanted ? order.place(after: position) : order.end
    }

    /// The first valid entry from here on; the place is moved to it.
    mutating func next(_ slots: borrowing JobSlots) -> PostingOrder.Entry? {
        order.validEntry(from: &place, slots)
    }
}

/// A page as it fills.
private struct PageBuilder {
    let query: JobsQuery
    var scansLeft: Int
    var bytesLeft: Int
    var page: JobsPage
    private var last: JobsQuery.Cursor?

    init(query: JobsQuery, scansLeft: Int, bytesLeft: Int, position: UInt64) {
        self.query = query
        self.scansLeft = scansLeft
        self.bytesLeft = bytesLeft
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
}
