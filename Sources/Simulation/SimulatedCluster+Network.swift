import Consensus
import EventLog
import NodeEngine
import WireFormat

extension SimulatedCluster {
    mutating func send(_ frame: PeerFrame, from: Int, to: Int, _ channel: PeerChannel) {
        let link = from * 16 + to
        guard !cutLinks.contains(link) else {
            // What TCP sends over a cut link is lost with the connection, sooner or later.
            if channel == .stream { streams[link] = nil }
            return
        }
        let bytes = PeerCodec.encodeBody(frame)
        let faulty = !isHealing
        switch channel {
        case .datagram:
            if plan.noDatagrams || (faulty && random.below(1000) < plan.datagramLoss) { return }
            let copies = faulty && random.below(1000) < plan.datagramRepeat ? 2 : 1
            for _ in 0..<copies {
                // Each takes its own time, so they overtake each other.
                let at = time + 1 + random.below(2 * plan.delay)
                queue.plan(.arrival(to: to, from: from, bytes: bytes, channel: .datagram, stream: 0), at: at)
            }
        case .stream:
            let stream = openStream(link)
            let at = max(lastArrival[link] ?? 0, time + 1 + random.below(2 * plan.delay))
            lastArrival[link] = at
            queue.plan(.arrival(to: to, from: from, bytes: bytes, channel: .stream, stream: stream), at: at)
        }
    }

    private mutating func openStream(_ link: Int) -> UInt64 {
        if let stream = streams[link] { return stream }
        streams[link] = nextStream
        defer { nextStream += 1 }
        return nextStream
    }

    mutating func arrive(_ bytes: [UInt8], from: Int, to: Int, _ channel: PeerChannel, _ stream: UInt64) throws {
        guard nodes[to].isRunning, !cutLinks.contains(from * 16 + to) else { return }
        if channel == .stream, streams[from * 16 + to] != stream { return }
        guard time >= nodes[to].pausedUntil else {
            // A process that stands still finds it in its socket later; datagrams beyond its buffer are lost.
            if channel == .stream {
                let at = max(nodes[to].pausedUntil, lastArrival[from * 16 + to] ?? 0)
                lastArrival[from * 16 + to] = at
                queue.plan(.arrival(to: to, from: from, bytes: bytes, channel: channel, stream: stream), at: at)
            }
            return
        }
        let tag = BlockCodec.clusterTag(settings.cluster)
        let frame = try bytes.withUnsafeBytes { bytes in
            try PeerCodec.decodeBody(bytes) { try BlockCodec.parse($0, cluster: tag) }
        }
        try step(to, [.peer(frame, via: channel)])
    }
}
