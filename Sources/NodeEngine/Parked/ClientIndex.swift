import DequeModule

/// Finds the parked requests of one owner by client and by connection, so that a cancellation or a closed connection costs
/// no more than what it concerns. Only looked up, never walked, but for the sorted tickets of one connection.
///
/// A connection may have parked a hundred thousand requests: when it is closed, their owner removes them over several turns.
struct ClientIndex: Sendable {
    private var tickets: [ClientReference: UInt64] = [:]
    private var connections: [UInt64: Set<UInt64>] = [:]
    /// Tickets of closed connections that are still to be removed. Some may have been removed since.
    private var abandoned: Deque<UInt64> = []

    var count: Int { tickets.count }

    subscript(client: ClientReference) -> UInt64? { tickets[client] }

    mutating func insert(_ ticket: UInt64, for client: ClientReference) {
        precondition(tickets.updateValue(ticket, forKey: client) == nil, "one request is parked twice")
        connections[client.connection, default: []].insert(ticket)
    }

    mutating func remove(_ client: ClientReference) {
        guard let ticket = tickets.removeValue(forKey: client) else { return }
        connections[client.connection]?.remove(ticket)
        if connections[client.connection]?.isEmpty == true { connections[client.connection] = nil }
    }

    var hasAbandoned: Bool { !abandoned.isEmpty }

    /// What the connection has parked is to be removed, in the order of parking.
    mutating func close(_ connection: UInt64) {
        guard let tickets = connections.removeValue(forKey: connection) else { return }
        abandoned.append(contentsOf: tickets.sorted())
    }

    mutating func popAbandoned() -> UInt64? { abandoned.popFirst() }
}
