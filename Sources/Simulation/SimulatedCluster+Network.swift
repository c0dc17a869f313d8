import Consensus
import EventLog
import NodeEngine
import WireFormat

extension SimulatedCluster {
    /// A datagram that was sent once, to come again.
    struct OldDatagram {
        var from: Int
        var to: Int
        var bytes: [UInt8]
    }

    private static let keptDatagrams = 512

    func link(_ from: Int, _ to: Int) -> Int { from * 16 + to }

    mutating func send(_ frame: PeerFrame, from: Int, to: Int, _ channel: PeerChannel) {
        let link = link(from, to)
        guard !cutLinks.contains(link) else {
            // What TCP sends over a cut link is lost with the connection, sooner or later.
            if channel == .stream { streams[link] = nil }
            return
        }
        let bytes = PeerCodec.encodeBody(frame)
        switch channel {
        case .datagram: sendDatagram(bytes, from, to)
        case .stream: sendOnStream(bytes, from, to)
        }
    }

    mutating func send(_ transfer: Transfer, from: Int, to: Int) {
        guard !cutLinks.contains(link(from, to)) else { return streams[link(from, to)] = nil }
        var frame: [UInt8] = []
        TransferCodec.append(transfer, from: nodes[from].id, to: &frame)
        sendOnStream(Array(frame[Framing.prefixLength...]), from, to)
    }

    private mutating func sendOnStream(_ bytes: [UInt8], _ from: Int, _ to: Int) {
        let link = link(from, to)
        guard !cutStreams.contains(link) else {
            // Nothing says that it is lost; when the filter goes, the connection is found to be dead.
            streams[link] = nil
            return
        }
        let stream = openStream(link)
        if deadStreams[link]?.number == stream { return }
        let at = max(lastArrival[link] ?? 0, time + 1 + random.below(2 * plan.delay))
        lastArrival[link] = at
        queue.plan(.arrival(to: to, from: from, bytes: bytes, channel: .stream, stream: stream), at: at)
    }

    private mutating func sendDatagram(_ bytes: [UInt8], _ from: Int, _ to: Int) {
        keep(OldDatagram(from: from, to: to, bytes: bytes))
        if plan.noDatagrams > 0 || cutDatagrams.contains(link(from, to)) { return report.sights.add(.datagramsLost) }
        let isFaulty = phase == .faulty
        if isFaulty, random.below(1000) < plan.datagramLoss { return report.sights.add(.datagramsLost) }
        let again = isFaulty && random.below(1000) < plan.datagramRepeat
        if again { report.sights.add(.datagramsRepeated) }
        for _ in 0..<(again ? 2 : 1) {
            // Each takes its own time, so they overtake each other.
            let at = time + 1 + random.below(2 * plan.delay)
            if at < lastDatagram[link(from, to), default: 0] { report.sights.add(.datagramsReordered) }
            lastDatagram[link(from, to)] = at
            queue.plan(.arrival(to: to, from: from, bytes: bytes, channel: .datagram, stream: 0), at: at)
        }
    }

    /// A few of all that were sent, old ones among them: the place is drawn, so some stay for long.
    private mutating func keep(_ datagram: OldDatagram) {
        guard plan.replayEvery > 0, phase == .faulty else { return }
        if oldDatagrams.count < Self.keptDatagrams {
            oldDatagrams.append(datagram)
        } else if random.below(8) == 0 {
            oldDatagrams[Int(random.below(UInt64(Self.keptDatagrams)))] = datagram
        }
    }

    mutating func replayDatagram() {
        guard !oldDatagrams.isEmpty else { return }
        let old = oldDatagrams[Int(random.below(UInt64(oldDatagrams.count)))]
        report.sights.add(.datagramsReplayed)
        queue.plan(.arrival(to: old.to, from: old.from, bytes: old.bytes, channel: .datagram, stream: 0), at: time + 1)
    }

    mutating func openStream(_ link: Int) -> UInt64 {
        if let stream = streams[link] { return stream }
        streams[link] = nextStream
        defer { nextStream += 1 }
        return nextStream
    }

    mutating func arrive(_ bytes: [UInt8], from: Int, to: Int, _ channel: PeerChannel, _ stream: UInt64) throws {
        let link = link(from, to)
        guard nodes[to].isUp, !cutLinks.contains(link) else { return }
        if channel == .stream, streams[link] != stream { return }
        if channel == .datagram, plan.noDatagrams > 0 || cutDatagrams.contains(link) { return }
        guard time >= nodes[to].pausedUntil else {
            // A process that stands still finds it in its socket later; datagrams beyond its buffer are lost.
            let at = max(nodes[to].pausedUntil, channel == .stream ? lastArrival[link] ?? 0 : 0)
            if channel == .stream { lastArrival[link] = at }
            if channel == .stream || random.below(4) == 0 {
                queue.plan(.arrival(to: to, from: from, bytes: bytes, channel: channel, stream: stream), at: at)
            }
            return
        }
        let transfer = try bytes.withUnsafeBytes { bytes throws(WireError) in
            TransferCodec.isTransfer(bytes) ? try TransferCodec.decode(bytes) : nil
        }
        if let transfer {
            guard nodes[to].isRunning else { return try repairHears(to, transfer.transfer, from: transfer.from) }
            return try step(to, [.transfer(from: transfer.from, transfer.transfer)])
        }
        let tag = BlockCodec.clusterTag(settings.cluster)
        let frame = try bytes.withUnsafeBytes { bytes in
            try PeerCodec.decodeBody(bytes) { try BlockCodec.parse($0, cluster: tag) }
        }
        try step(to, [.peer(frame, via: channel)])
    }

    /// The peers of a dead process see their connections close.
    mutating func breakStreams(of node: Int) throws {
        for other in nodes.indices where other != node {
            streams[link(node, other)] = nil
            streams[link(other, node)] = nil
        }
        for other in nodes.indices where other != node { try step(other, [.peerStreamLost(nodes[node].id)]) }
    }

    // MARK: Cuts

    /// Cuts links for a while: one node off, some of its links one way, the cluster in two, or in two with a node in both.
    mutating func cut() {
        let node = Int(random.below(UInt64(nodes.count)))
        let end = time + 1000 * (1 + random.below(3000))
        switch random.below(4) {
        case 0:
            countCut(.isolations)
            for other in nodes.indices where other != node { cutBothWays(node, other, until: end) }
        case 1:
            countCut(.oneWayCuts)
            let outwards = random.below(2) == 0
            for other in nodes.indices where other != node && random.below(2) == 0 {
                cut(outwards ? link(node, other) : link(other, node), until: end)
            }
        case 2:
            countCut(.halves)
            split(without: nil, until: end)
        default:
            countCut(.bridges)
            split(without: node, until: end)
        }
    }

    /// A cluster of one has nothing to cut.
    private mutating func countCut(_ sight: Sight) {
        if nodes.count > 1 { report.sights.add(sight) }
    }

    private mutating func split(without bridge: Int?, until end: UInt64) {
        let side = nodes.map { _ in random.below(2) }
        for left in nodes.indices where left != bridge {
            for right in nodes.indices where right > left && right != bridge && side[left] != side[right] {
                cutBothWays(left, right, until: end)
            }
        }
    }

    private mutating func cutBothWays(_ left: Int, _ right: Int, until end: UInt64) {
        cut(link(left, right), until: end)
        cut(link(right, left), until: end)
    }

    private mutating func cut(_ link: Int, until end: UInt64) {
        trace.note(time, "link \(link / 16 + 1) to \(link % 16 + 1) is cut")
        cutLinks.insert(link)
        queue.plan(.heal(link: link), at: end)
    }

    /// Streams alone, each direction by chance: heartbeats get through, and entries do not.
    mutating func cutSomeStreams() {
        countCut(.streamCuts)
        let end = time + 1000 * (1 + random.below(6000))
        for from in nodes.indices {
            for to in nodes.indices where to != from && random.below(2) == 0 {
                cutStreams.insert(link(from, to))
                queue.plan(.healStream(link: link(from, to)), at: end)
            }
        }
    }

    /// Datagrams alone, each direction by chance.
    mutating func cutSomeDatagrams() {
        countCut(.datagramCuts)
        let end = time + 1000 * (1 + random.below(4000))
        for from in nodes.indices {
            for to in nodes.indices where to != from && random.below(2) == 0 {
                cutDatagrams.insert(link(from, to))
                queue.plan(.healDatagrams(link: link(from, to)), at: end)
            }
        }
    }
}
