import DequeModule

extension BoardMachine {
    /// Stops the program with the reason if something does not hold that must. For tests and the simulator.
    package func checkInvariants() {
        do throws(BrokenInvariant) {
            try inspect()
        } catch {
            preconditionFailure(error.description)
        }
    }

    /// Checks everything that must hold between two commands. Takes time with every job there is. Total as long as slots,
    /// boards and lanes refer to each other rightly, which a `BoardRestorer` sees to.
    func inspect() throws(BrokenInvariant) {
        try checkJobs()
        try checkBoards()
        try checkTimers()
        try checkSessions()
        try checkCompleted()
    }

    private func checkCompleted() throws(BrokenInvariant) {
        try require(!completed.isOver(limits), "too many complete jobs are remembered")
        var bytes = 0
        for slot in completed.ring.map(\.slot) {
            try require(slots[slot].job.state == .complete, "\(slots[slot].job.id) is remembered and not complete")
            bytes += CompletedMemory.cost(slots[slot].job)
        }
        try require(completed.bytes == bytes, "the bytes of the remembered jobs differ from a recount")
        try require(Set(completed.ring.map(\.slot)).count == completed.count, "a complete job is remembered twice")
        var complete = 0
        for slot in 0..<slots.capacity where slots[slot].job.state == .complete { complete += 1 }
        try require(complete == completed.count, "a complete job will never be forgotten")
    }

    private func checkJobs() throws(BrokenInvariant) {
        var fences: Set<UInt64> = []
        var positions: Set<UInt64> = []
        var (occupied, bytes) = (0, 0)
        for slot in 0..<slots.capacity where slots[slot].job.position != 0 {
            occupied += 1
            let record = slots[slot]
            let job = record.job
            bytes += StateCost.job(job)
            try require(!job.isPartial, "\(job.id) is a part of a job")
            try require(ids[job.id] == slot, "\(job.id) is not found in its slot")
            try require(job.board == boards[Int(record.board)].name, "\(job.id) is on another board than it says")
            try require(job.position <= lastPosition && positions.insert(job.position).inserted, "\(job.id): bad position")
            try require(job.lastModified >= job.createdOn && job.lastModified <= now, "\(job.id): bad times")
            let isClaimed = job.state == .claimed
            try require((job.owner != nil) == isClaimed, "\(job.id): owner and state differ")
            try require((job.fence != nil) == isClaimed, "\(job.id): fence and state differ")
            try require((job.leaseUntil != nil) == isClaimed, "\(job.id): lease and state differ")
            if let fence = job.fence {
                try require(fence >= 1 && fence <= lastFence, "\(job.id): fence \(fence) was never given")
                try require(fences.insert(fence).inserted, "fence \(fence) has two live claims")
            }
            if record.isReady { try require(job.state == .unclaimed, "\(job.id) is ready and not unclaimed") }
            if let key = job.key, record.isOnBoard {
                try require(keys[record.board, key] == slot, "\(job.id) does not hold its key")
            }
        }
        try require(bytes == jobBytes, "the bytes of the jobs differ from a recount")
        try require(occupied == slots.count && occupied == ids.count, "slots and identities differ in number")
    }

    private func checkBoards() throws(BrokenInvariant) {
        var counted: [StateCounts] = Array(repeating: StateCounts(), count: boards.count)
        var ready = Array(repeating: 0, count: lanes.count)
        var remembered = Array(repeating: 0, count: boards.count)
        var keyed = 0
        for slot in 0..<slots.capacity where slots[slot].job.position != 0 {
            counted[Int(slots[slot].board)][slots[slot].job.state] += 1
            if slots[slot].job.state == .complete { remembered[Int(slots[slot].board)] += 1 }
            if slots[slot].isReady { ready[lane(of: slot)] += 1 }
            if slots[slot].isOnBoard, slots[slot].job.key != nil { keyed += 1 }
        }
        var sum = StateCounts()
        sum.complete = completeElsewhere
        let vacant = boards.indices.filter { boards[$0].name.isEmpty }
        try require(freeBoards.sorted() == vacant.map { Int32($0) }, "a vacant board is not free, or twice")
        try require(boardIndexes.count == boards.count - vacant.count, "boards and their names differ in number")
        for (index, board) in boards.enumerated() where !board.name.isEmpty {
            try require(!board.isEmpty, "board \(board.name) is empty and was not dropped")
            try require(board.remembered == remembered[index], "board \(board.name): remembered jobs differ from a recount")
            try require(boardIndexes[board.name] == Int32(index), "board \(board.name) is not found")
            counted[index].complete = board.counts.complete
            try require(counted[index] == board.counts, "board \(board.name): counters differ from a recount")
            for state in JobState.allCases { sum[state] += board.counts[state] }
            try checkLanes(of: Int32(index), ready: ready, counts: counted[index])
        }
        try require(keyed == keys.count, "a key is held by no job")
        try require(sum == totals, "the totals differ from the sum of the boards")
    }

    private func checkLanes(of board: Int32, ready: [Int], counts: StateCounts) throws(BrokenInvariant) {
        var total = 0
        var listed = StateCounts()
        for priority in Priority.allCases {
            let lane = lane(board, priority)
            try check(lanes[lane].ready, holds: ready[lane])
            total += ready[lane]
            listed.unclaimed += try validCount(lanes[lane].onBoard)
            listed.trashed += try validCount(lanes[lane].trash)
            listed.complete += try validCount(lanes[lane].complete)
        }
        try checkNames(of: board)
        try require(total == boards[Int(board)].ready, "the count of ready jobs differs from a recount")
        try require(listed.unclaimed == counts.unclaimed + counts.claimed, "a job on the board is not listed, or twice")
        var remembered = 0
        for slot in completed.ring.map(\.slot) where slots[slot].board == board { remembered += 1 }
        try require(listed.complete == remembered, "a remembered job is not listed, or twice")
        try require(listed.trashed == counts.trashed, "a job in the trash is not listed, or twice")
    }

    /// An index of names holds the ready jobs that its walk has passed or that came since it began, each once and in order.
    private func checkNames(of board: Int32) throws(BrokenInvariant) {
        let isListed = unbuiltNames.contains(board)
        guard let index = boards[Int(board)].names else {
            return try require(!isListed, "an index of names is built that no claim asked for")
        }
        // A claim may have built it to its end meanwhile.
        try require(isListed || index.isComplete, "an index of names is left unbuilt")
        var expected: Set<Int32> = []
        for slot in 0..<slots.capacity where slots[slot].job.position != 0 && slots[slot].board == board && slots[slot].isReady {
            let job = slots[slot].job
            if job.position > index.began || index.hasPassed(job.priority, job.position) { expected.insert(slot) }
        }
        var found: [Int32] = []
        var names = 0
        var isRight = true
        index.names.forEach { name, jobs in
            names += 1
            var last: NamedEntry?
            var count = 0
            jobs.forEach { entry in
                let job = slots[entry.slot].job
                isRight = isRight && job.name == name && job.position == entry.position && job.priority == entry.priority
                if let last, last >= entry { isRight = false }
                last = entry
                count += 1
                found.append(entry.slot)
            }
            isRight = isRight && count == jobs.count && count > 0
        }
        try require(isRight && names == index.names.count, "an index of names has a wrong entry, or a wrong count")
        try require(
            found.count == expected.count && Set(found) == expected, "a ready job is missing in an index of names, or twice")
    }

    private func check(_ queue: ReadyQueue, holds expected: Int) throws(BrokenInvariant) {
        let valid = queue.unorderedSlots(slots)
        try require(valid.count == expected && Set(valid).count == expected, "a ready job has no entry, or two")
        try require(queue.live == expected, "the count of live entries differs from a recount")
        try require(queue.entryCount <= 2 * queue.live + 65, "left-over entries are not cleared away")
    }

    private func validCount(_ order: PostingOrder) throws(BrokenInvariant) -> Int {
        var valid = 0
        var last: UInt64 = 0
        var entries = 0
        var place = order.place(after: 0)
        while let entry = order.entry(from: &place) {
            try require(entry.position > last, "a posting order is out of order")
            last = entry.position
            entries += 1
            if order.isValid(entry, slots) { valid += 1 }
            place.moveOn()
        }
        try require(entries == order.count, "a posting order's entries differ in number from a recount")
        try require(valid == order.live && order.count <= 2 * valid + 65, "a posting order's count differs from a recount")
        return valid
    }

    /// Each deadline has a timer that comes no later.
    private func checkTimers() throws(BrokenInvariant) {
        var armed: Set<ArmedTimer> = []
        for timer in timers.heap.unordered {
            armed.insert(ArmedTimer(kind: timer.kind, position: timer.position, deadline: timer.deadline))
        }
        func isArmed(_ kind: Timer.Kind, _ position: UInt64, _ deadline: Int64) -> Bool {
            armed.contains(ArmedTimer(kind: kind, position: position, deadline: deadline))
        }
        for slot in 0..<slots.capacity where slots[slot].job.position != 0 {
            let record = slots[slot]
            let job = record.job
            if let end = job.leaseUntil {
                try require(record.leaseArmed <= end.milliseconds, "\(job.id): its lease has no timer")
                try require(isArmed(.lease, job.position, record.leaseArmed), "\(job.id): its lease timer is lost")
            }
            let waits = job.state == .unclaimed && !record.isReady
            try require(waits == (record.delayArmed != Timer.none), "\(job.id): waiting and its timer differ")
            if waits {
                try require(record.delayArmed == job.notBefore?.milliseconds, "\(job.id): waits for another moment")
                try require(isArmed(.delay, job.position, record.delayArmed), "\(job.id): its delay timer is lost")
            }
            if record.expiryArmed, let end = job.expiresOn {
                try require(isArmed(.expiry, job.position, end.milliseconds), "\(job.id): its expiry timer is lost")
            }
        }
        for slot in sessions.byLastUse {
            try require(sessions[slot].armed <= sessions[slot].deadline.milliseconds, "a session has no timer")
            try require(isArmed(.session, sessions[slot].id, sessions[slot].armed), "a session's timer is lost")
        }
    }

    private func checkSessions() throws(BrokenInvariant) {
        let order = sessions.byLastUse
        try require(order.count == sessions.count && sessions.count <= limits.sessions, "the sessions and their order differ")
        var last = Timestamp(milliseconds: .min)
        var bytes = 0
        for slot in order {
            let session = sessions[slot]
            try require(sessions.slot(of: session.id) == slot, "session \(session.id) is not found")
            try require(sessions.slot(of: session.key) == slot, "session \(session.id) is not found by its key")
            try require(session.id <= sessions.lastID, "session \(session.id) was never opened")
            try require(session.lastUsed >= last && session.lastUsed <= now, "session \(session.id) is out of order")
            last = session.lastUsed
            let kept = session.keptSequences
            try require(kept.count <= limits.sessionWindow, "session \(session.id) keeps too much")
            try require(kept.count == session.keptOutcomes.count, "session \(session.id) has answers without a number")
            let keptBytes = session.keptOutcomes.reduce(0) { $0 + $1.cost }
            try require(keptBytes == session.keptBytes, "session \(session.id): the bytes it keeps differ from a recount")
            try require(keptBytes <= limits.sessionBytes, "session \(session.id) keeps too many bytes")
            let isInOrder = session.retentionClass == RetentionOrder.class(of: keptBytes)
            try require(isInOrder, "session \(session.id) is in another class than it should be")
            bytes += keptBytes
            if let first = kept.first {
                try require(first >= session.floor, "session \(session.id) keeps what it should have forgotten")
            }
            for place in kept.indices.dropFirst() {
                try require(kept[place - 1] < kept[place], "session \(session.id) keeps answers out of order")
            }
        }
        try require(bytes == sessions.keptBytes, "the bytes of the kept answers differ from a recount")
        try require(bytes <= limits.retainedBytes, "the sessions keep too many bytes")
    }
}

/// A timer, wherever its owner is.
private struct ArmedTimer: Hashable {
    let kind: Timer.Kind
    let position: UInt64
    let deadline: Int64
}
