import Consensus
import Jobboard
import NodeEngine
import WireFormat

/// Somebody who hears every event, once and in order, from whichever node it is connected to.
struct SimulatedWatcher {
    var node = 0
    /// 0 while it has none.
    var connection: UInt64 = 0
    var isConfirmed = false
    /// The position of the event that it needs next; nil when it starts from now.
    var next: UInt64? = 1
    var heardAt: UInt64 = 0
    /// A connection keeps its order.
    var lastArrival: UInt64 = 0
}

extension SimulatedCluster {
    /// Connections of watchers are numbered from here on; those below are the clients'.
    static let firstWatch: UInt64 = 1000
    /// How long a watcher hears nothing before it asks elsewhere, in microseconds.
    private static let silence: UInt64 = 2_000_000

    mutating func watchTurn(_ watcher: Int) throws {
        queue.plan(.watchTurn(watcher), at: time + 50_000 + random.below(50_000))
        if watchers[watcher].connection == 0 { return connect(watcher) }
        let moves = phase == .faulty && random.below(60) == 0
        guard moves || time - watchers[watcher].heardAt > Self.silence else { return }
        if moves { report.sights.add(.watchesMoved) }
        queue.plan(
            .disconnect(node: watchers[watcher].node, connection: watchers[watcher].connection),
            at: time + random.below(2 * plan.delay))
        watchers[watcher].connection = 0
    }

    private mutating func connect(_ watcher: Int) {
        let node = Int(random.below(UInt64(nodes.count)))
        let connection = nextWatch
        nextWatch += 1
        watchers[watcher].node = node
        watchers[watcher].connection = connection
        watchers[watcher].isConfirmed = false
        watchers[watcher].heardAt = time
        watchOwners[connection] = watcher
        var bytes: [UInt8] = []
        ClientCodec.append(Request.watch(board: nil, from: watchers[watcher].next), number: 1, to: &bytes)
        queue.plan(
            .request(
                to: node, client: watcher, number: 1, bytes: bytes, connection: connection),
            at: time + 1 + random.below(2 * plan.delay))
    }

    /// The process at the other end is gone.
    mutating func breakWatches(of node: Int) {
        for watcher in watchers.indices where watchers[watcher].node == node { watchers[watcher].connection = 0 }
    }

    mutating func replyToWatcher(_ reference: ClientReference, _ response: Response) throws {
        guard let watcher = watchOwners[reference.connection], watchers[watcher].connection == reference.connection else {
            return
        }
        var bytes: [UInt8] = []
        ClientCodec.append(response, number: reference.request, to: &bytes)
        let at = max(watchers[watcher].lastArrival, time + 1 + random.below(2 * plan.delay))
        watchers[watcher].lastArrival = at
        queue.plan(
            .watchReply(
                watcher: watcher, connection: reference.connection, bytes: Array(bytes[Framing.prefixLength...])), at: at)
    }

    mutating func takeWatchReply(_ watcher: Int, _ connection: UInt64, _ response: Response) throws {
        guard watchers[watcher].connection == connection else { return }
        watchers[watcher].heardAt = time
        switch response {
        case .watching(let from):
            if let next = watchers[watcher].next, next != from {
                throw Violation("a watch from event \(next) on began with \(from)")
            }
            watchers[watcher].next = from
            watchers[watcher].isConfirmed = true
            if from > 1 { report.sights.add(.watchesResumed) }
        case .events(let events):
            for event in events { try hear(event, watcher) }
        case .failed(let error) where error.code == .compacted && settings.rememberedEvents < checker.reference.events.count:
            report.sights.add(.watchesCompacted)
            watchers[watcher].next = nil
            watchers[watcher].connection = 0
        case .failed(let error) where error.code == .unavailable || error.code == .overloaded:
            watchers[watcher].connection = 0
        default:
            throw Violation("a watch from event \(watchers[watcher].next ?? 0) on was answered \(response)")
        }
    }

    private mutating func hear(_ event: Event, _ watcher: Int) throws {
        guard let next = watchers[watcher].next, watchers[watcher].isConfirmed, event.position == next else {
            throw Violation("a watcher waits for event \(watchers[watcher].next ?? 0) and hears \(event.position)")
        }
        guard next <= UInt64(checker.reference.events.count), checker.reference.events[Int(next) - 1] == event else {
            throw Violation("a watcher hears of event \(next) what the log does not say: \(event)")
        }
        report.sights.add(.eventsWatched)
        watchers[watcher].next = next + 1
    }

    /// Every watcher has heard everything.
    var watchersAreDone: Bool {
        watchers.allSatisfy { $0.next == UInt64(checker.reference.events.count) + 1 }
    }
}
