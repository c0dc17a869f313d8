/// Claims by name, and the indexes that they need.
extension BoardMachine {
    /// Whether the index of a board's names is still being built here: what it does not find may be there all the same.
    /// Then a leader keeps a claim by name back until `buildNameIndexes` is done with the board.
    package func isBuildingNames(board: String) -> Bool {
        guard let board = boardIndexes[board], let index = boards[Int(board)].names else { return false }
        return !index.isComplete
    }

    /// Whether a claim by name is the first one on its board. It must go through the log, and gives the board an index of
    /// names. On a board with many jobs that is all it does: it claims nothing, and is to be put again.
    package func needsNameIndex(_ want: ClaimNext) -> Bool {
        guard want.name != nil, let board = boardIndexes[want.board] else { return false }
        return boards[Int(board)].names == nil && boards[Int(board)].ready > 0
    }

    /// Some index of names is not built to its end.
    package var hasUnbuiltNames: Bool { !unbuiltNames.isEmpty }

    /// Goes on building indexes of names, and looks at no more than so many records for it. True when there is more to do.
    /// What a command does never depends on it.
    package mutating func buildNameIndexes(records: Int) -> Bool {
        var left = records
        while let board = unbuiltNames.first {
            left -= buildNames(of: board, records: left)
            guard boards[Int(board)].names?.isComplete ?? true else { return true }
            unbuiltNames.removeFirst()
        }
        return false
    }

    /// Gives a board its index; complete, unless there are many jobs. Part of the rules: the same on every replica.
    mutating func startNames(of board: Int32) {
        boards[Int(board)].names = NameIndex(began: lastPosition)
        if hasManyJobs(board) { unbuiltNames.append(board) } else { completeNames(of: board) }
    }

    /// Too many to build an index at once.
    func hasManyJobs(_ board: Int32) -> Bool {
        let counts = boards[Int(board)].counts
        return counts.unclaimed + counts.claimed > limits.namesAtOnce
    }

    /// Builds a board's index to its end, whatever it takes. Left-over entries are at most as many as the jobs.
    mutating func completeNames(of board: Int32) {
        while boards[Int(board)].names?.isComplete == false { _ = buildNames(of: board, records: max(1, limits.namesAtOnce)) }
    }

    /// The first ready job of a name and priority. While the index is being built the walk goes on until it is found, which
    /// happens only where this node is behind the leader that proposed the claim, and once for each job at most.
    mutating func takeFirst(named name: String, _ board: Int32, _ priority: Priority) -> Int32? {
        while true {
            guard let index = boards[Int(board)].names else { return nil }
            let first = index.first(name, priority)
            if let first, index.hasPassed(priority, first.position) { return first.slot }
            if index.hasPassed(priority, .max) { return first?.slot }
            _ = buildNames(of: board, records: max(1, limits.namesAtOnce))
        }
    }

    /// One slice of the walk over a board; how many records it looked at.
    private mutating func buildNames(of board: Int32, records: Int) -> Int {
        var looked = 0
        while looked < records, let walked = boards[Int(board)].names?.walked {
            let order = lanes[lane(board, walked.priority)].onBoard
            var place = order.place(after: walked.position)
            var passed = walked
            let began = boards[Int(board)].names?.began ?? 0
            var isAtEnd = false
            while looked < records {
                guard let entry = order.entry(from: &place), entry.position <= began else {
                    isAtEnd = true
                    break
                }
                looked += 1
                place.moveOn()
                passed.position = entry.position
                guard order.isValid(entry, slots), slots[entry.slot].isReady else { continue }
                let name = slots[entry.slot].job.name
                let named = NamedEntry(position: entry.position, slot: entry.slot, priority: walked.priority)
                boards[Int(board)].names?.pass(named, of: name)
            }
            guard isAtEnd else {
                boards[Int(board)].names?.walked = passed
                break
            }
            looked += 1
            let next = Int(walked.priority.rawValue) + 1
            boards[Int(board)].names?.walked =
                next < Priority.allCases.count ? NameIndex.Place(priority: Priority.allCases[next], position: 0) : nil
        }
        return looked
    }
}
