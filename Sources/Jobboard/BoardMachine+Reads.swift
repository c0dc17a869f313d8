extension BoardMachine {
    /// A job on a board, in the trash, or complete and still remembered (without its details then).
    package func job(_ id: JobID) -> Job? {
        ids[id].map { slots[$0].job }
    }

    /// Exact, from counters. Without a state: the jobs on the board, unclaimed and claimed. COMPLETE counts all that were
    /// ever consumed, remembered or not. An unknown board has none.
    package func count(board: String, state: JobState?) -> Int {
        guard let index = boardIndexes[board] else { return 0 }
        return Self.count(boards[Int(index)].counts, state)
    }

    /// The same over all boards.
    package func totals(state: JobState?) -> Int {
        Self.count(totals, state)
    }

    private static func count(_ counts: StateCounts, _ state: JobState?) -> Int {
        state.map { counts[$0] } ?? counts.unclaimed + counts.claimed
    }

    /// Jobs of a board that can be claimed now.
    package func claimableCount(board: String) -> Int {
        boardIndexes[board].map { boards[Int($0)].ready } ?? 0
    }

    /// All boards, sorted.
    package var boardNames: [String] { boardIndexes.keys.sorted() }
}
