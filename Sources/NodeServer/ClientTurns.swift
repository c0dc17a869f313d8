import DequeModule

/// The clients whose requests wait until the turn that gathers now was made, since it has as many bytes as it may.
///
/// What a request costs grows with its bytes. A dozen requests of 4 MiB that come together would hold the loop for a second,
/// in which it sends no heartbeat, so they are taken over several turns, and between those sockets and timers have theirs.
struct ClientTurns<Client> {
    private let limit: Int
    /// Of the requests in the turn that gathers.
    private var bytes = 0
    private var waiting: Deque<Client> = []
    /// Turns that were made.
    private(set) var count: UInt64 = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// A further request may be taken into the turn that gathers; the last one may lead past the limit.
    var hasRoom: Bool { bytes < limit }
    var hasWaiting: Bool { !waiting.isEmpty }

    mutating func add(bytes count: Int) { bytes += count }
    mutating func wait(_ client: Client) { waiting.append(client) }

    /// A turn is made: the next one has all the bytes again.
    mutating func turned() {
        bytes = 0
        count += 1
    }

    /// The client that has waited longest; nil when there is no room for a request of it.
    mutating func next() -> Client? { hasRoom ? waiting.popFirst() : nil }
}
