import DequeModule
import Jobboard

/// Claims of the next job that wait at the leader until there is one.
///
/// They are grouped by what they ask for, and an event finds its group: one job that becomes ready is offered to the claim
/// that came first among those that its name and priority fit, at most 64 groups. What claims under way (proposed and not
/// yet applied) may take is not offered: such jobs are kept as openings, and claims that were parked while claims under way
/// might take all are kept as overtaken, until fewer are under way.
struct ParkedClaims: Sendable {
    /// Claims of one name, or of any, and of one set of priorities.
    fileprivate struct Group: Sendable {
        var priorities: UInt8
        var queue = TicketQueue()
    }

    private struct Board: Sendable {
        /// By name; nil is any. Only looked up, never walked.
        var groups: [String?: [Group]] = [:]
        var count = 0
        /// Slots of jobs that became ready and were not yet offered to a claim, in that order.
        var openings: Deque<Int32> = []
        /// Tickets of claims that there may be jobs for that never become ready anew.
        var overtaken: Deque<UInt64> = []
        /// What `nextServable` gave last was for the first opening.
        var isServingOpening = false
        /// It is in `toServe`.
        var isMarked = false
    }

    /// By ticket. Only looked up, never walked.
    private var claims: [UInt64: Write] = [:]
    private var index = ClientIndex()
    private var boards: [String: Board] = [:]
    /// The jobs that claims which are under way now were taken out for. Such a claim may get another job and leave this one.
    private var offers: [ClientReference: Int32] = [:]
    /// Boards with something that may be served now.
    private var toServe: Deque<String> = []
    private var deadlines = DeadlineQueue()
    private var nextTicket: UInt64 = 1
    /// About what they take in memory.
    private(set) var byteCount = 0

    var isEmpty: Bool { claims.isEmpty }
    var count: Int { claims.count }
    /// Some are parked, or were and are under way.
    var isInUse: Bool { !claims.isEmpty || !offers.isEmpty }
    var hasBoardsToServe: Bool { !toServe.isEmpty }

    func contains(_ client: ClientReference) -> Bool { index[client] != nil }

    /// Parks a claim. `overtaken`: claims under way may take all that is ready, and leave some of it after all.
    mutating func park(_ write: Write, _ want: ClaimNext, overtaken: Bool) {
        let ticket = nextTicket
        nextTicket += 1
        claims[ticket] = write
        index.insert(ticket, for: write.client)
        deadlines.insert(ticket, deadline: write.deadline)
        byteCount += Self.bytes(of: want)
        Self.change(&boards[want.board, default: Board()]) { board in
            board.count += 1
            board.groups[want.name, default: []].update(want.prioritySet) { $0.append(ticket) }
            if overtaken { board.overtaken.append(ticket) }
        }
    }

    static func bytes(of want: ClaimNext) -> Int {
        256 + 2 * want.board.utf8.count + want.who.utf8.count + 2 * (want.name?.utf8.count ?? 0)
    }

    /// In place.
    private static func change(_ board: inout Board, _ body: (inout Board) -> Void) { body(&board) }

    // MARK: What wakes them

    /// A job can be claimed from now on.
    mutating func jobIsReady(_ job: ReadyJob, in machine: BoardMachine) {
        guard boards[job.board] != nil else { return }
        boards[job.board]!.openings.append(job.slot)
        if boards[job.board]!.openings.count > 1024,
            boards[job.board]!.openings.count > 2 * machine.claimableCount(board: job.board)
        {
            var kept: Set<Int32> = []
            boards[job.board]!.openings.removeAll { machine.readyJob($0) == nil || !kept.insert($0).inserted }
        }
        mark(job.board)
    }

    /// A claim has come out of the log, and may have left something: the job that it was taken out for, or others.
    mutating func cameOut(_ client: ClientReference, on board: String) {
        let offered = offers.isEmpty ? nil : offers.removeValue(forKey: client)
        guard boards[board] != nil else { return }
        if let offered { boards[board]!.openings.prepend(offered) }
        if !boards[board]!.openings.isEmpty || !boards[board]!.overtaken.isEmpty { mark(board) }
    }

    private mutating func mark(_ board: String) {
        guard boards[board]?.isMarked == false else { return }
        boards[board]!.isMarked = true
        toServe.append(board)
    }

    /// Nothing more can be taken now: the board is tried again later.
    mutating func serveLater(_ board: String) { mark(board) }

    mutating func nextBoardToServe() -> String? {
        while let board = toServe.popFirst() {
            guard boards[board] != nil else { continue }
            boards[board]!.isMarked = false
            return board
        }
        return nil
    }

    /// Takes out the claim that comes first among those that something of the board is ready for.
    mutating func nextServable(on board: String, in machine: BoardMachine) -> Write? {
        while let slot = boards[board]?.openings.first {
            if let job = machine.readyJob(slot), job.board == board, let ticket = firstClaim(fitting: job) {
                boards[board]!.isServingOpening = true
                return remove(ticket)
            }
            boards[board]!.openings.removeFirst()
        }
        while let ticket = boards[board]?.overtaken.popFirst() {
            guard let write = claims[ticket], case .claimNext(let want) = write.call.command, machine.mayGive(want) else {
                continue
            }
            boards[board]!.isServingOpening = false
            return remove(ticket)
        }
        return nil
    }

    /// What `nextServable` gave is under way now, so the job that it was for is offered to no other until it comes out.
    mutating func isUnderWay(_ client: ClientReference, on board: String) {
        guard boards[board]?.isServingOpening == true else { return }
        offers[client] = boards[board]!.openings.removeFirst()
        boards[board]!.isServingOpening = false
    }

    private mutating func firstClaim(fitting job: ReadyJob) -> UInt64? {
        let ofName = firstClaim(of: job.name, fitting: job)
        let ofAny = firstClaim(of: nil, fitting: job)
        return [ofName, ofAny].compactMap { $0 }.min()
    }

    private mutating func firstClaim(of name: String?, fitting job: ReadyJob) -> UInt64? {
        guard let groups = boards[job.board]?.groups[name] else { return nil }
        var first: UInt64?
        for place in groups.indices where groups[place].priorities & job.priority.bit != 0 {
            let ticket = boards[job.board]!.groups[name]![place].queue.first { [claims] in claims[$0] != nil }
            if let ticket, ticket < first ?? .max { first = ticket }
        }
        return first
    }

    // MARK: What ends them

    mutating func cancel(_ client: ClientReference) -> Write? { index[client].map { remove($0) } }

    /// Its claims are removed by and by; until then whoever takes one out has to look whether its connection is open.
    mutating func close(_ connection: UInt64) { index.close(connection) }

    var hasAbandoned: Bool { index.hasAbandoned }

    /// Removes claims of closed connections, as many as `left` says.
    mutating func removeAbandoned(_ left: inout Int) {
        while left > 0, let ticket = index.popAbandoned() {
            guard claims[ticket] != nil else { continue }
            _ = remove(ticket)
            left -= 1
        }
    }

    func hasExpired(at now: UInt64) -> Bool { deadlines.hasDue(at: now) }

    mutating func popExpired(at now: UInt64) -> Write? {
        while let ticket = deadlines.popDue(at: now) {
            if claims[ticket] != nil { return remove(ticket) }
        }
        return nil
    }

    /// In the order of parking.
    mutating func removeAll() -> [Write] {
        let all = claims.sorted { $0.key < $1.key }.map(\.value)
        let next = nextTicket
        self = ParkedClaims()
        nextTicket = next
        return all
    }

    private mutating func remove(_ ticket: UInt64) -> Write {
        guard let write = claims.removeValue(forKey: ticket), case .claimNext(let want) = write.call.command else {
            preconditionFailure("claim \(ticket) is not parked")
        }
        index.remove(write.client)
        byteCount -= Self.bytes(of: want)
        deadlines.compact(live: claims.count) { [claims] in claims[$0] != nil }
        let isLive = { [claims] (ticket: UInt64) in claims[ticket] != nil }
        Self.change(&boards[want.board]!) { board in
            board.count -= 1
            board.groups[want.name]!.update(want.prioritySet) { $0.removedOne(isLive: isLive) }
            if board.groups[want.name]!.isEmpty { board.groups[want.name] = nil }
            if board.overtaken.count > 2 * board.count + 32 { board.overtaken.removeAll { !isLive($0) } }
        }
        if boards[want.board]!.count == 0 { boards[want.board] = nil }
        return write
    }

    // MARK: Checks

    /// What must always be true, by looking at everything. `isUnderWay`: claims of the board are, so that jobs may wait.
    func checkInvariants(_ machine: BoardMachine, mayWait: (String) -> Bool) {
        precondition(index.count == claims.count, "\(claims.count) claims are parked, \(index.count) are in the index")
        let inBoards = boards.values.reduce(0) { $0 + $1.count }
        let inGroups = boards.values.reduce(0) { $0 + $1.groups.values.joined().reduce(0) { $0 + $1.queue.live } }
        precondition(inBoards == claims.count && inGroups == claims.count, "the groups differ from the claims that are parked")
        var bytes = 0
        for write in claims.values {
            guard case .claimNext(let want) = write.call.command else { preconditionFailure("only claims of the next job wait") }
            bytes += Self.bytes(of: want)
            guard claims.count <= 1000, boards[want.board]?.isMarked == false, !mayWait(want.board) else { continue }
            precondition(!machine.hasClaimable(want), "a job is ready on \(want.board), and a claim that it fits waits for it")
        }
        precondition(bytes == byteCount, "parked claims take \(bytes) bytes, not \(byteCount)")
    }
}

extension [ParkedClaims.Group] {
    /// Changes the queue of a set of priorities; one that is empty then goes.
    fileprivate mutating func update(_ priorities: UInt8, _ body: (inout TicketQueue) -> Void) {
        let place: Int
        if let found = firstIndex(where: { $0.priorities == priorities }) {
            place = found
        } else {
            place = count
            append(ParkedClaims.Group(priorities: priorities))
        }
        body(&self[place].queue)
        if self[place].queue.isEmpty { remove(at: place) }
    }
}

extension ClaimNext {
    /// A bit for each priority that is asked for.
    fileprivate var prioritySet: UInt8 {
        priorities.isEmpty ? 0b1_1111 : priorities.mask
    }
}

extension Priority {
    fileprivate var bit: UInt8 { 1 << rawValue }
}

extension BoardMachine {
    /// Whether a claim would get something, or has to be carried out to find out: a name that no claim has asked for yet is
    /// not looked for among many jobs.
    func mayGive(_ want: ClaimNext) -> Bool { needsNameIndex(want) || hasClaimable(want) }
}
