import Jobboard

/// Clients that are sent every event of one board or of all.
///
/// A watch that has caught up is sent events as entries are applied. One that has not has a position in the history, and each
/// turn sends it a slice from there on. A watch whose client does not read, or for which a turn has no bytes left, falls
/// behind in the same way: nothing is kept for it but its position, and it ends with `compacted` when the event there is
/// forgotten.
struct Watches: Sendable {
    private struct Watch: Sendable {
        var client: ClientReference
        var board: String?
        /// The position that it needs next; nil while it has caught up.
        var next: UInt64?
    }

    /// What is sent to a watch that is behind.
    struct Slice {
        var client: ClientReference
        var board: String?
        var from: UInt64
    }

    /// By ticket; a watch gets a new one when it catches up. Only looked up, never walked.
    private var watches: [UInt64: Watch] = [:]
    private var index = ClientIndex()
    /// Those that have caught up, by board; nil is all boards. Only looked up, never walked.
    private var caughtUp: [String?: TicketQueue] = [:]
    /// Those that are behind, each once.
    private var behind = ConnectionRing<UInt64>()
    private var nextTicket: UInt64 = 1
    /// About what they take in memory.
    private(set) var byteCount = 0

    var isEmpty: Bool { watches.isEmpty }
    var count: Int { watches.count }
    /// Some can be sent more.
    var hasBehind: Bool { !behind.isEmpty }
    var behindCount: Int { behind.count }

    static func bytes(of board: String?) -> Int { 192 + 2 * (board?.utf8.count ?? 0) }

    /// Another one with the same number on the same connection takes its place. `from`: nil when there is nothing to send yet.
    mutating func start(_ client: ClientReference, board: String?, from: UInt64?) {
        _ = cancel(client)
        byteCount += Self.bytes(of: board)
        if let from {
            behind.append(insert(Watch(client: client, board: board, next: from)), of: client.connection)
        } else {
            catchUp(Watch(client: client, board: board, next: nil))
        }
    }

    private mutating func insert(_ watch: Watch) -> UInt64 {
        let ticket = nextTicket
        nextTicket += 1
        watches[ticket] = watch
        index.insert(ticket, for: watch.client)
        return ticket
    }

    private mutating func catchUp(_ watch: Watch) {
        let ticket = insert(watch)
        caughtUp[watch.board, default: TicketQueue()].append(ticket)
    }

    // MARK: Events

    /// Whether events of the board concern a watch that has caught up; nil is all boards.
    func hasCaughtUp(on board: String?) -> Bool { caughtUp[board] != nil }

    /// The clients of a board that have caught up and are to be sent the events that begin at `position`; all others of the
    /// board that `mayBeSent` turns down fall behind there.
    mutating func clientsToTell(
        on board: String?, at position: UInt64, isBlocked: (UInt64) -> Bool, mayBeSent: () -> Bool
    ) -> [ClientReference] {
        guard let queue = caughtUp[board] else { return [] }
        var clients: [ClientReference] = []
        for ticket in queue.all(where: { watches[$0]?.next == nil && watches[$0] != nil }) {
            let client = watches[ticket]!.client
            if !isBlocked(client.connection), mayBeSent() {
                clients.append(client)
            } else {
                fallBehind(ticket, at: position)
            }
        }
        return clients
    }

    private mutating func fallBehind(_ ticket: UInt64, at position: UInt64) {
        let watch = watches[ticket]!
        watches[ticket]!.next = position
        leaveCaughtUp(watch.board)
        behind.append(ticket, of: watch.client.connection)
    }

    private mutating func leaveCaughtUp(_ board: String?) {
        caughtUp[board]!.removedOne { [watches] in watches[$0] != nil && watches[$0]!.next == nil }
        if caughtUp[board]!.isEmpty { caughtUp[board] = nil }
    }

    /// The state is another one: whoever had caught up with the old one goes on from there.
    mutating func allFallBehind(at position: UInt64) {
        let tickets = watches.filter { $0.value.next == nil }.map(\.key).sorted()
        for ticket in tickets { fallBehind(ticket, at: position) }
    }

    // MARK: Those that are behind

    /// The next watch to be sent a slice; `sent` or `cancel` must follow. Those of blocked clients wait for `unblocked`.
    mutating func nextBehind(isBlocked: (UInt64) -> Bool) -> Slice? {
        while let ticket = behind.next(isBlocked: isBlocked) {
            guard let watch = watches[ticket], let next = watch.next else { continue }
            return Slice(client: watch.client, board: watch.board, from: next)
        }
        return nil
    }

    /// A watch was sent everything before `next`; nil: all there is.
    mutating func sent(_ client: ClientReference, upTo next: UInt64?) {
        guard let ticket = index[client] else { return }
        if let next {
            watches[ticket]!.next = next
            behind.append(ticket, of: client.connection)
        } else {
            var watch = watches.removeValue(forKey: ticket)!
            index.remove(client)
            watch.next = nil
            catchUp(watch)
        }
    }

    /// The client reads again.
    mutating func unblocked(_ connection: UInt64) { behind.unblocked(connection) }

    // MARK: Leaving

    mutating func cancel(_ client: ClientReference) -> Bool {
        guard let ticket = index[client] else { return false }
        remove(ticket)
        return true
    }

    /// Its watches are removed by and by; until then the connection counts as blocked.
    mutating func close(_ connection: UInt64) {
        _ = behind.close(connection)
        index.close(connection)
    }

    var hasAbandoned: Bool { index.hasAbandoned }

    /// Removes watches of closed connections, as many as `left` says.
    mutating func removeAbandoned(_ left: inout Int) {
        while left > 0, let ticket = index.popAbandoned() {
            guard watches[ticket] != nil else { continue }
            remove(ticket)
            left -= 1
        }
    }

    private mutating func remove(_ ticket: UInt64) {
        let watch = watches.removeValue(forKey: ticket)!
        index.remove(watch.client)
        byteCount -= Self.bytes(of: watch.board)
        if watch.next == nil { leaveCaughtUp(watch.board) }
        if behind.count > 2 * watches.count + 32 { behind.removeAll { [watches] in watches[$0] == nil } }
    }

    /// What must always be true, by looking at everything.
    func checkInvariants(nextPosition: UInt64) {
        precondition(index.count == watches.count, "\(watches.count) watches stand, \(index.count) are in the index")
        let caught = watches.values.count { $0.next == nil }
        precondition(caughtUp.values.reduce(0) { $0 + $1.live } == caught, "\(caught) watches have caught up")
        let queued = behind.all
        precondition(Set(queued).count == queued.count, "a watch is to be sent two slices at a time")
        precondition(
            index.hasAbandoned || queued.count { watches[$0] != nil } == watches.count - caught,
            "a watch that is behind is not in the queue")
        for watch in watches.values { precondition((watch.next ?? 0) <= nextPosition, "a watch waits for the future") }
        precondition(
            watches.values.reduce(0) { $0 + Self.bytes(of: $1.board) } == byteCount, "watches take not \(byteCount) bytes")
    }
}
