import DequeModule

/// The clients whose requests wait since as many bytes as may be were taken from sockets without a look at the others.
///
/// What a request costs grows with its bytes. A dozen requests of 4 MiB that come together would hold the loop for a second,
/// in which it hears no other node and sends no heartbeat, so they are taken over several rounds of the loop, and between
/// those sockets and timers have theirs. A round may make several turns: small requests fill one by their number.
struct ClientTurns<Client> {
    private let limit: Int
    /// Of the requests of this round.
    private var bytes = 0
    private var waiting: Deque<Client> = []
    /// Those that waited have their turn.
    private var isGoingOn = false

    init(limit: Int) {
        self.limit = limit
    }

    private var hasRoom: Bool { bytes < limit }
    /// A further request may be taken in this round; the last one may lead past the limit. Nobody passes those who wait.
    var takesRequests: Bool { hasRoom && (isGoingOn || waiting.isEmpty) }
    var hasWaiting: Bool { !waiting.isEmpty }

    mutating func add(bytes count: Int) { bytes += count }
    mutating func wait(_ client: Client) { waiting.append(client) }

    /// All that the loop read in this round is behind it: the next one has all the bytes again.
    mutating func roundEnded() { bytes = 0 }

    /// The client that has waited longest; nil when there is no room for a request of it. To be called until then.
    mutating func next() -> Client? {
        let client = hasRoom ? waiting.popFirst() : nil
        isGoingOn = client != nil
        return client
    }
}
