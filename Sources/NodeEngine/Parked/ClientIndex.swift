/// Finds the parked requests of one owner by client and by connection, so that a cancellation or a closed connection costs
/// no more than what it concerns. Only looked up, never walked, but for the sorted tickets of one connection.
struct ClientIndex: Sendable {
    private var tickets: [ClientReference: UInt64] = [:]
    private var connections: [UInt64: Set<UInt64>] = [:]

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

    /// What a connection has parked, in the order of parking.
    func tickets(of connection: UInt64) -> [UInt64] { connections[connection]?.sorted() ?? [] }
}
