import Consensus
import NodeEngine

/// A stream that delivers nothing any more in the direction in which it carries entries, and that is open for both sides, as
/// behind a proxy whose one half has stopped. Its receiver hears no ping either.
struct DeadStream {
    let number: UInt64
    /// The receiver's.
    var watch: StreamWatch
}

extension SimulatedCluster {
    /// For how long a healed cluster may still wait for what a dead stream has swallowed, in microseconds.
    static let streamSilence = 1000 * UInt64(Budgets()[.streamSilence])

    mutating func killStream() {
        guard nodes.count > 1 else { return }
        let from = Int(random.below(UInt64(nodes.count)))
        let to = (from + 1 + Int(random.below(UInt64(nodes.count - 1)))) % nodes.count
        let link = link(from, to)
        guard nodes[from].isUp, nodes[to].isUp, !cutLinks.contains(link), !cutStreams.contains(link) else { return }
        let number = openStream(link)
        guard deadStreams[link]?.number != number else { return }
        report.sights.add(.deadStreams)
        trace.note(time, "the stream from node \(nodes[from].id) to node \(nodes[to].id) is dead")
        deadStreams[link] = DeadStream(number: number, watch: StreamWatch(now: nodes[to].moment(time).monotonic))
    }

    /// What a real node does at each tick: a stream on which nothing arrives is closed, and both sides hear of that.
    mutating func lookAtStreams(to node: Int) throws {
        guard !deadStreams.isEmpty, nodes[node].isUp, time >= nodes[node].pausedUntil else { return }
        for from in nodes.indices where from != node {
            let link = link(from, node)
            guard var stream = deadStreams[link] else { continue }
            // It broke for another reason, and the next one is whole.
            guard streams[link] == stream.number else {
                deadStreams[link] = nil
                continue
            }
            let verdict = stream.watch.look(at: nodes[node].moment(time).monotonic, isInRecord: false)
            deadStreams[link] = stream
            guard case .dead = verdict else { continue }
            report.sights.add(.deadStreamsClosed)
            trace.note(time, "node \(nodes[node].id) closes the dead stream from node \(nodes[from].id)")
            (deadStreams[link], streams[link]) = (nil, nil)
            try step(node, [.peerStreamLost(nodes[from].id)])
            try step(from, [.peerStreamLost(nodes[node].id)])
        }
    }
}
