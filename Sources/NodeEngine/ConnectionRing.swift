import DequeModule

/// Work to be done for clients, by connection: the connections take turns, so that none holds up another, and one whose
/// client does not read costs nothing until it reads again.
struct ConnectionRing<Element: Sendable>: Sendable {
    /// Only looked up, never walked but in `all` and `removeAll`.
    private var queues: [UInt64: Deque<Element>] = [:]
    /// Connections with work to be done, each once, the next one first.
    private var ring: Deque<UInt64> = []
    private var inRing: Set<UInt64> = []
    /// Elements of all connections.
    private(set) var count = 0

    /// Nothing can be done at present; what blocked connections wait for does not count.
    var isEmpty: Bool { ring.isEmpty }
    /// In no particular order.
    var all: [Element] { queues.values.flatMap { $0 } }

    func has(_ connection: UInt64) -> Bool { !queues.isEmpty && queues[connection] != nil }

    mutating func append(_ element: Element, of connection: UInt64) {
        queues[connection, default: []].append(element)
        count += 1
        join(connection)
    }

    private mutating func join(_ connection: UInt64) {
        if inRing.insert(connection).inserted { ring.append(connection) }
    }

    /// The first element of the connection whose turn it is. A blocked connection leaves the ring until `unblocked`.
    mutating func next(isBlocked: (UInt64) -> Bool) -> Element? {
        while let connection = ring.popFirst() {
            inRing.remove(connection)
            guard !isBlocked(connection), let element = queues[connection]?.popFirst() else { continue }
            count -= 1
            if queues[connection]!.isEmpty { queues[connection] = nil } else { join(connection) }
            return element
        }
        return nil
    }

    /// The connection's client reads again; costs the same however much waits for it.
    mutating func unblocked(_ connection: UInt64) {
        if queues[connection] != nil { join(connection) }
    }

    /// What the connection still waited for.
    mutating func close(_ connection: UInt64) -> [Element] {
        guard let queue = queues.removeValue(forKey: connection) else { return [] }
        count -= queue.count
        return Array(queue)
    }

    /// Looks at everything.
    mutating func removeAll(where isOver: (Element) -> Bool) {
        queues = queues.compactMapValues { queue in
            var left = queue
            left.removeAll(where: isOver)
            return left.isEmpty ? nil : left
        }
        count = queues.values.reduce(0) { $0 + $1.count }
    }
}
