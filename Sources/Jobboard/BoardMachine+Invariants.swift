import DequeModule
import HeapModule

extension BoardMachine {
    /// Checks everything that must hold between two commands, and stops the program with the reason if something does not.
    /// For tests and the simulator: takes time with every job there is.
    package func checkInvariants() {
        checkJobs()
        checkBoards()
        checkTimers()
        checkSessions()
        checkCompleted()
    }

    private func checkCompleted() {
        precondition(!completed.isOver(limits), "too many complete jobs are remembered")
        var bytes = 0
        for slot in completed.ring.map(\.slot) {
            precondition(slots[slot].job.state == .complete, "\(slots[slot].job.id) is remembered and not complete")
            bytes += CompletedMemory.cost(slots[slot].job)
        }
        precondition(completed.bytes == bytes, "the bytes of the remembered jobs differ from a recount")
        precondition(Set(completed.ring.map(\.slot)).count == completed.count, "a complete job is remembered twice")
        var complete = 0
        for slot in 0..<slots.capacity where slots[slot].job.state == .complete { complete += 1 }
        precondition(complete == completed.count, "a complete job will never be forgotten")
    }

    private func checkJobs() {
        var fences: Set<UInt64> = []
        var positions: Set<UInt64> = []
        var occupied = 0
        for slot in 0..<slots.capacity where slots[slot].job.position != 0 {
            occupied += 1
            let record = slots[slot]
            let job = record.job
            precondition(ids[job.id] == slot, "\(job.id) is not found in its slot")
            precondition(job.board == boards[Int(record.board)].name, "\(job.id) is on another board than it says")
            precondition(job.position <= lastPosition && positions.insert(job.position).inserted, "\(job.id): bad position")
            precondition(job.lastModified >= job.createdOn && job.lastModified <= now, "\(job.id): bad times")
            let isClaimed = job.state == .claimed
            precondition((job.owner != nil) == isClaimed, "\(job.id): owner and state differ")
            precondition((job.fence != nil) == isClaimed, "\(job.id): fence and state differ")
            precondition((job.leaseUntil != nil) == isClaimed, "\(job.id): lease and state differ")
            if let fence = job.fence {
                precondition(fence >= 1 && fence <= lastFence, "\(job.id): fence \(fence) was never given")
                precondition(fences.insert(fence).inserted, "fence \(fence) has two live claims")
            }
            if record.isReady { precondition(job.state == .unclaimed, "\(job.id) is ready and not unclaimed") }
            if let key = job.key, record.isOnBoard {
                precondition(boards[Int(record.board)].keys[key] == slot, "\(job.id) does not hold its key")
            }
        }
        precondition(occupied == slots.count && occupied == ids.count, "slots and identities differ in number")
    }

    private func checkBoards() {
        var counted: [StateCounts] = Array(repeating: StateCounts(), count: boards.count)
        var ready = Array(repeating: 0, count: lanes.count)
        var keyed = Array(repeating: 0, count: boards.count)
        for slot in 0..<slots.capacity where slots[slot].job.position != 0 {
            counted[Int(slots[slot].board)][slots[slot].job.state] += 1
            if slots[slot].isReady { ready[lane(of: slot)] += 1 }
            if slots[slot].isOnBoard, slots[slot].job.key != nil { keyed[Int(slots[slot].board)] += 1 }
        }
        var sum = StateCounts()
        for (index, board) in boards.enumerated() {
            precondition(boardIndexes[board.name] == Int32(index), "board \(board.name) is not found")
            counted[index].complete = board.counts.complete
            precondition(counted[index] == board.counts, "board \(board.name): counters differ from a recount")
            precondition(keyed[index] == board.keys.count, "board \(board.name): a key is held by no job")
            for state in JobState.allCases { sum[state] += board.counts[state] }
            checkLanes(of: Int32(index), ready: ready, counts: counted[index])
        }
        precondition(sum == totals, "the totals differ from the sum of the boards")
    }

    private func checkLanes(of board: Int32, ready: [Int], counts: StateCounts) {
        var total = 0
        var listed = StateCounts()
        for priority in Priority.allCases {
            let lane = lane(board, priority)
            check(lanes[lane].ready, holds: ready[lane])
            total += ready[lane]
            listed.unclaimed += validCount(lanes[lane].onBoard)
            listed.trashed += validCount(lanes[lane].trash)
            for (name, index) in boards[Int(board)].named {
                let all = lanes[lane].ready.unorderedSlots(slots)
                check(index.queues[Int(priority.rawValue)], holds: all.count { slots[$0].job.name == name })
            }
        }
        precondition(total == boards[Int(board)].ready, "the count of ready jobs differs from a recount")
        precondition(listed.unclaimed == counts.unclaimed + counts.claimed, "a job on the board is not listed, or twice")
        precondition(listed.trashed == counts.trashed, "a job in the trash is not listed, or twice")
    }

    private func check(_ queue: ReadyQueue, holds expected: Int) {
        let valid = queue.unorderedSlots(slots)
        precondition(valid.count == expected && Set(valid).count == expected, "a ready job has no entry, or two")
        precondition(queue.live == expected, "the count of live entries differs from a recount")
        precondition(queue.entryCount <= 2 * queue.live + 65, "left-over entries are not cleared away")
    }

    private func validCount(_ order: PostingOrder) -> Int {
        var valid = 0
        var last: UInt64 = 0
        for index in 0..<order.count {
            precondition(order[index].position > last, "a posting order is out of order")
            last = order[index].position
            if order.isValid(order[index], slots) { valid += 1 }
        }
        precondition(valid == order.live && order.count <= 2 * valid + 65, "a posting order's count differs from a recount")
        return valid
    }

    /// Each deadline has a timer that comes no later.
    private func checkTimers() {
        var armed: Set<[UInt64]> = []
        for timer in timers.heap.unordered {
            armed.insert([UInt64(timer.kind.rawValue), timer.position, UInt64(bitPattern: timer.deadline)])
        }
        func isArmed(_ kind: Timer.Kind, _ position: UInt64, _ deadline: Int64) -> Bool {
            armed.contains([UInt64(kind.rawValue), position, UInt64(bitPattern: deadline)])
        }
        for slot in 0..<slots.capacity where slots[slot].job.position != 0 {
            let record = slots[slot]
            let job = record.job
            if let end = job.leaseUntil {
                precondition(record.leaseArmed <= end.milliseconds, "\(job.id): its lease has no timer")
                precondition(isArmed(.lease, job.position, record.leaseArmed), "\(job.id): its lease timer is lost")
            }
            let waits = job.state == .unclaimed && !record.isReady
            precondition(waits == (record.delayArmed != Timer.none), "\(job.id): waiting and its timer differ")
            if waits {
                precondition(record.delayArmed == job.notBefore?.milliseconds, "\(job.id): waits for another moment")
                precondition(isArmed(.delay, job.position, record.delayArmed), "\(job.id): its delay timer is lost")
            }
            if record.expiryArmed, let end = job.expiresOn {
                precondition(isArmed(.expiry, job.position, end.milliseconds), "\(job.id): its expiry timer is lost")
            }
        }
        for slot in sessions.byLastUse {
            precondition(sessions[slot].armed <= sessions[slot].deadline.milliseconds, "a session has no timer")
            precondition(isArmed(.session, sessions[slot].id, sessions[slot].armed), "a session's timer is lost")
        }
    }

    private func checkSessions() {
        let order = sessions.byLastUse
        precondition(order.count == sessions.count && sessions.count <= limits.sessions, "the sessions and their order differ")
        var last = Timestamp(milliseconds: .min)
        for slot in order {
            let session = sessions[slot]
            precondition(sessions.slot(of: session.id) == slot, "session \(session.id) is not found")
            precondition(session.id <= sessions.lastID, "session \(session.id) was never opened")
            precondition(session.lastUsed >= last && session.lastUsed <= now, "session \(session.id) is out of order")
            last = session.lastUsed
            let kept = session.keptSequences
            precondition(kept.count <= limits.sessionWindow, "session \(session.id) keeps too much")
            precondition(kept.count == session.keptOutcomes.count, "session \(session.id) has answers without a number")
            var floor = session.floor
            for sequence in kept {
                precondition(sequence >= floor, "session \(session.id) keeps what it should have forgotten")
                floor = sequence + 1
            }
        }
    }
}
