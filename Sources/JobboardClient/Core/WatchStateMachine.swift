package import Jobboard
package import WireFormat

/// A watch without its socket: connects to any node, asks for events from the first one not seen, and goes on elsewhere from
/// there when the connection is lost. A pure value.
package struct WatchStateMachine: Sendable {
    package enum Action: Equatable, Sendable {
        case connect(node: String, connection: UInt64)
        case close(connection: UInt64)
        case send(Request)
        case deliver([Event])
        /// The end of the watch: nothing follows.
        case finish(JobboardError)
    }

    private enum State {
        /// → connecting
        case idle
        /// → greeting | backingOff
        case connecting(String)
        /// → asking | backingOff
        case greeting(String, until: Moment)
        /// Asked for events. → streaming | backingOff | ended
        case asking(String, until: Moment)
        /// → backingOff | ended
        case streaming(String)
        /// → connecting | ended
        case backingOff(until: Moment)
        case ended
    }

    private var state = State.idle
    private var connection: UInt64 = 0
    private var directory: NodeDirectory
    private var backoff: Backoff
    /// Attempts that failed since events last came.
    private var failures = 0
    private let board: String?
    private let cluster: String
    private let greeting: Int64
    /// The position of the first event not seen; nil until a node said where "now" is.
    private var next: UInt64?

    /// - Parameters:
    ///   - board: nil for all boards.
    ///   - from: nil for what happens from now on.
    ///   - greeting: how long a node may take to greet and to answer, in nanoseconds.
    package init(nodes: [String], board: String?, from: UInt64?, cluster: String, greeting: Int64, seed: UInt64) {
        var random = SplitMix(state: seed)
        directory = NodeDirectory(nodes: nodes, start: Int(random.next() >> 33))
        backoff = Backoff(seed: random.next())
        self.board = board
        self.cluster = cluster
        self.greeting = greeting
        next = from
    }

    /// When to call `wakeUp` at the latest.
    package var nextWakeup: Moment {
        switch state {
        case .idle, .connecting, .streaming, .ended: .never
        case .greeting(_, let until), .asking(_, let until), .backingOff(let until): until
        }
    }

    package mutating func start() -> [Action] {
        guard case .idle = state else { return [] }
        return [connect()]
    }

    /// Nil when nobody wants that connection any more.
    package mutating func connected(_ which: UInt64, now: Moment) -> [Action]? {
        guard which == connection, case .connecting(let node) = state else { return nil }
        state = .greeting(node, until: now.adding(greeting))
        return []
    }

    package mutating func greeted(_ hello: ClientHello, on which: UInt64, now: Moment) -> [Action] {
        guard which == connection, case .greeting(let node, _) = state else { return [] }
        guard cluster.isEmpty || hello.cluster == cluster else { return leave(now: now) }
        state = .asking(node, until: now.adding(greeting))
        return [.send(.watch(board: board, from: next))]
    }

    package mutating func received(_ response: Response, on which: UInt64, now: Moment) -> [Action] {
        guard which == connection else { return [] }
        switch (state, response) {
        case (.asking(let node, _), .watching(let from)):
            if let next, from > next {
                return end(JobboardError(.compacted, "events before \(from) are no longer kept"))
            }
            next = next ?? from
            state = .streaming(node)
            return []
        case (.streaming, .events(let events)):
            return deliver(events, now: now)
        case (.asking, .failed(let error)), (.streaming, .failed(let error)):
            switch error.code {
            case .unavailable, .overloaded, .closed: return leave(now: now)
            default: return end(error)
            }
        case (.asking, _), (.streaming, _):
            return leave(now: now)
        case (.idle, _), (.connecting, _), (.greeting, _), (.backingOff, _), (.ended, _):
            return []
        }
    }

    package mutating func disconnected(_ which: UInt64, now: Moment) -> [Action] {
        guard which == connection else { return [] }
        switch state {
        case .connecting(let node), .greeting(let node, _), .asking(let node, _), .streaming(let node):
            return retry(after: node, now: now)
        case .idle, .backingOff, .ended:
            return []
        }
    }

    package mutating func wakeUp(now: Moment) -> [Action] {
        guard nextWakeup <= now else { return [] }
        switch state {
        case .backingOff: return [connect()]
        case .greeting, .asking: return leave(now: now)
        case .idle, .connecting, .streaming, .ended: return []
        }
    }

    /// Ends the watch from our side; `error` is what its reader sees, if it still reads.
    package mutating func end(_ error: JobboardError) -> [Action] {
        defer { state = .ended }
        switch state {
        case .ended: return []
        case .idle, .backingOff: return [.finish(error)]
        case .connecting, .greeting, .asking, .streaming: return [.close(connection: connection), .finish(error)]
        }
    }

    /// What was seen before is dropped. Positions of all boards together have no gaps, so there a gap shows a faulty node.
    private mutating func deliver(_ events: [Event], now: Moment) -> [Action] {
        var expected = next ?? 0
        var news: [Event] = []
        news.reserveCapacity(events.count)
        for event in events where event.position >= expected {
            guard board != nil || event.position == expected else {
                next = expected
                let delivery = news.isEmpty ? [] : [Action.deliver(news)]
                return delivery + leave(now: now)
            }
            news.append(event)
            expected = event.position + 1
        }
        next = expected
        guard !news.isEmpty else { return [] }
        failures = 0
        backoff.reset()
        return [.deliver(news)]
    }

    private mutating func connect() -> Action {
        let node = directory.choose()
        connection += 1
        state = .connecting(node)
        return .connect(node: node, connection: connection)
    }

    private mutating func leave(now: Moment) -> [Action] {
        let left = connection
        switch state {
        case .connecting(let node), .greeting(let node, _), .asking(let node, _), .streaming(let node):
            return [.close(connection: left)] + retry(after: node, now: now)
        case .idle, .backingOff, .ended:
            return []
        }
    }

    /// The next node at once while there are untried ones, then after a pause.
    private mutating func retry(after node: String, now: Moment) -> [Action] {
        directory.failed(node, now: now)
        failures += 1
        if failures <= directory.count { return [connect()] }
        state = .backingOff(until: now.adding(backoff.next()))
        return []
    }
}
