import DequeModule
import Jobboard

/// Requests that wait, at any node, for a board to have a claimable job or for a job to end.
///
/// An event finds the requests that wait for the same, and no others. Each turn answers so many of them; the rest is
/// answered in the turns that follow, as far as there is still something to tell.
struct ParkedWaits: Sendable {
    /// What is waited for.
    enum Kind: Hashable, Sendable {
        case claimable(String)
        case end(JobID)
    }

    private struct Wait: Sendable {
        var client: ClientReference
        var kind: Kind
    }

    /// By ticket. Only looked up, never walked.
    private var waits: [UInt64: Wait] = [:]
    private var index = ClientIndex()
    private var groups: [Kind: TicketQueue] = [:]
    /// What has happened, for those that wait for it to be told.
    private var due: Deque<Kind> = []
    private var dueKinds: Set<Kind> = []
    private var deadlines = DeadlineQueue()
    private var nextTicket: UInt64 = 1
    /// About what they take in memory.
    private(set) var byteCount = 0

    var isEmpty: Bool { waits.isEmpty }
    var count: Int { waits.count }

    /// Another one with the same number on the same connection takes its place.
    mutating func park(_ kind: Kind, _ client: ClientReference, deadline: UInt64) {
        _ = cancel(client)
        let ticket = nextTicket
        nextTicket += 1
        waits[ticket] = Wait(client: client, kind: kind)
        index.insert(ticket, for: client)
        groups[kind, default: TicketQueue()].append(ticket)
        deadlines.insert(ticket, deadline: deadline)
        byteCount += Self.bytes(of: kind)
    }

    static func bytes(of kind: Kind) -> Int {
        switch kind {
        case .claimable(let board): 192 + 2 * board.utf8.count
        case .end: 192
        }
    }

    /// What is waited for may have happened.
    mutating func wake(_ kind: Kind) {
        guard !groups.isEmpty, groups[kind] != nil, dueKinds.insert(kind).inserted else { return }
        due.append(kind)
    }

    /// As after a snapshot was installed: anything may have happened. In the order of parking.
    mutating func wakeAll() {
        for (_, wait) in waits.sorted(by: { $0.key < $1.key }) { wake(wait.kind) }
    }

    var hasDue: Bool { !due.isEmpty }
    /// What has happened first of all that is still to be told.
    var firstDue: Kind? { due.first }

    /// Takes out the first request that waits for `firstDue`; nil when all were told.
    mutating func popFirstDue() -> ClientReference? {
        guard let kind = due.first else { return nil }
        guard let ticket = groups[kind]?.first(where: { [waits] in waits[$0] != nil }) else {
            dropFirstDue()
            return nil
        }
        return remove(ticket).client
    }

    /// It is not so any more, or all were told.
    mutating func dropFirstDue() {
        if let kind = due.popFirst() { dueKinds.remove(kind) }
    }

    mutating func cancel(_ client: ClientReference) -> Bool {
        guard let ticket = index[client] else { return false }
        _ = remove(ticket)
        return true
    }

    /// Its requests are removed by and by; what is answered until then reaches nobody.
    mutating func close(_ connection: UInt64) { index.close(connection) }

    var hasAbandoned: Bool { index.hasAbandoned }

    /// Removes requests of closed connections, as many as `left` says.
    mutating func removeAbandoned(_ left: inout Int) {
        while left > 0, let ticket = index.popAbandoned() {
            guard waits[ticket] != nil else { continue }
            _ = remove(ticket)
            left -= 1
        }
    }

    func hasExpired(at now: UInt64) -> Bool { deadlines.hasDue(at: now) }

    mutating func popExpired(at now: UInt64) -> (client: ClientReference, kind: Kind)? {
        while let ticket = deadlines.popDue(at: now) {
            guard waits[ticket] != nil else { continue }
            let wait = remove(ticket)
            return (wait.client, wait.kind)
        }
        return nil
    }

    private mutating func remove(_ ticket: UInt64) -> Wait {
        guard let wait = waits.removeValue(forKey: ticket) else { preconditionFailure("wait \(ticket) is not parked") }
        index.remove(wait.client)
        groups[wait.kind]!.removedOne { [waits] in waits[$0] != nil }
        if groups[wait.kind]!.isEmpty { groups[wait.kind] = nil }
        deadlines.compact(live: waits.count) { [waits] in waits[$0] != nil }
        byteCount -= Self.bytes(of: wait.kind)
        return wait
    }

    /// What must always be true, by looking at everything.
    func checkInvariants() {
        precondition(index.count == waits.count, "\(waits.count) requests wait, \(index.count) are in the index")
        precondition(groups.values.reduce(0) { $0 + $1.live } == waits.count, "the groups differ from the requests that wait")
        precondition(due.count == dueKinds.count, "what is to be told differs from its set")
        precondition(waits.values.reduce(0) { $0 + Self.bytes(of: $1.kind) } == byteCount, "waits take not \(byteCount) bytes")
    }
}
