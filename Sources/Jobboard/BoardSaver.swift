import DequeModule

/// Takes a machine apart for a snapshot, one part a call, in an order that depends on its state alone: boards by name; the
/// jobs on boards and in the trash by board, priority and posting order; complete jobs in the order in which they will be
/// forgotten; sessions by last use, each with its outcomes by sequence.
///
/// It holds a copy of the machine, so the machine itself may go on meanwhile.
package struct BoardSaver: Sendable {
    private let machine: BoardMachine
    /// The indexes of the boards in the order of their names; a board's number is its place here.
    private let boards: [Int32]
    /// The number of each board, by index.
    private let numbers: [UInt32]
    /// The sessions' slots, by last use.
    private let sessions: [Int32]
    /// How many of each were handed out.
    private var (boardsDone, completedDone, sessionsDone, outcomesDone) = (0, 0, 0, 0)
    /// Where the next job is looked for: a board's number, a priority, on the board or in the trash, and an entry.
    private var (jobBoard, jobPriority, jobTrashed) = (0, 0, false)
    private var jobPlace: PostingOrder.Place?

    package init(_ machine: BoardMachine) {
        self.machine = machine
        boards = machine.boardIndexes.values.sorted { machine.boards[Int($0)].name < machine.boards[Int($1)].name }
        var numbers = Array(repeating: 0 as UInt32, count: machine.boards.count)
        for (number, index) in boards.enumerated() { numbers[Int(index)] = UInt32(number) }
        self.numbers = numbers
        sessions = machine.sessions.byLastUse
    }

    package var counters: SavedCounters {
        SavedCounters(
            now: machine.now, lastPosition: machine.lastPosition, lastFence: machine.lastFence,
            lastSession: machine.sessions.lastID, completeElsewhere: UInt64(machine.completeElsewhere),
            accountedBytes: UInt64(machine.accountedBytes))
    }

    package var boardCount: Int { boards.count }
    /// Jobs on boards and in the trash.
    package var jobCount: Int { machine.slots.count - machine.completed.count }
    package var completedCount: Int { machine.completed.count }
    package var sessionCount: Int { sessions.count }

    package func fingerprint() -> UInt64 { machine.fingerprint() }

    package mutating func nextBoard() -> SavedBoard? {
        guard boardsDone < boards.count else { return nil }
        let board = machine.boards[Int(boards[boardsDone])]
        boardsDone += 1
        return SavedBoard(name: board.name, complete: UInt64(board.counts.complete), hasNames: board.hasNames)
    }

    package mutating func nextJob() -> SavedJob? {
        while jobBoard < boards.count {
            let lane = machine.lanes[machine.lane(boards[jobBoard], Priority.allCases[jobPriority])]
            let order = jobTrashed ? lane.trash : lane.onBoard
            var place = jobPlace ?? order.place(after: 0)
            if let entry = order.validEntry(from: &place, machine.slots) {
                place.moveOn()
                jobPlace = place
                return saved(entry.slot)
            }
            jobPlace = nil
            jobTrashed.toggle()
            guard !jobTrashed else { continue }
            jobPriority += 1
            guard jobPriority == Priority.allCases.count else { continue }
            jobPriority = 0
            jobBoard += 1
        }
        return nil
    }

    package mutating func nextCompleted() -> SavedJob? {
        guard completedDone < machine.completed.count else { return nil }
        defer { completedDone += 1 }
        return saved(machine.completed.ring[completedDone].slot)
    }

    private func saved(_ slot: Int32) -> SavedJob {
        let record = machine.slots[slot]
        return SavedJob(
            board: numbers[Int(record.board)], job: record.job, content: record.content, isReady: record.isReady,
            expiryArmed: record.expiryArmed)
    }

    /// The next session, and how many outcomes `nextOutcome` will give before the next one.
    package mutating func nextSession() -> (session: SavedSession, outcomes: Int)? {
        guard sessionsDone < sessions.count else { return nil }
        let session = machine.sessions[sessions[sessionsDone]]
        sessionsDone += 1
        outcomesDone = 0
        let saved = SavedSession(
            id: session.id, key: session.key, ttlMilliseconds: session.ttlMilliseconds, lastUsed: session.lastUsed,
            floor: session.floor,
            hasActed: session.hasActed)
        return (saved, session.keptSequences.count)
    }

    /// The next outcome that the session at hand keeps.
    package mutating func nextOutcome() -> SavedOutcome? {
        guard sessionsDone > 0 else { return nil }
        let session = machine.sessions[sessions[sessionsDone - 1]]
        guard outcomesDone < session.keptSequences.count else { return nil }
        defer { outcomesDone += 1 }
        return SavedOutcome(
            sequence: session.keptSequences[outcomesDone], outcome: session.keptOutcomes[outcomesDone])
    }
}
