import Consensus
import JobboardClient

// What each fault does, and how it is mended.
extension FaultPlay {
    /// Posts of a large job that fill more than two segments.
    private static let largePosts = 100
    /// So many that the nodes that are up take two snapshots and release what came before.
    private static let manyLargePosts = 130
    private static let longestGrowth: Duration = .seconds(12)

    mutating func perform(_ episode: Episode) async throws {
        let order = victims(episode)
        let majority = stage.nodeCount / 2 + 1
        switch episode.fault {
        case .kill(let victims): try await kill(Self.some(victims, order), episode)
        case .stop(let victims): try await stop(Self.some(victims, order), episode)
        case .restartLoop: try await restartLoop(order[0], episode)
        case .cut(let shape):
            notes.count(shape)
            try await cut(shape.cuts(order[0], Array(order.dropFirst())), "\(shape.rawValue), node \(order[0])", episode.lasts)
        case .unseenDeath: try await unseenDeath(order[0], episode)
        case .deathInTwoParts:
            notes.count(.halves)
            let cuts = CutShape.halves.cuts(order[0], Array(order.dropFirst()))
            let victim = order[order.count - Int(episode.luck % UInt64(majority)) - 1]
            try await change(cuts, "two parts, node \(order[0]) in the smaller one; killed node \(victim)")
            await nodes.kill([victim])
            try await rest(episode.lasts)
            try nodes.restart([victim])
            try await change(LinkCuts(), "all links are whole, node \(victim) is started again")
        case .diskFull: try await fillDisk(order[0], episode)
        case .leftBehind: try await leaveBehind(order[0], episode)
        }
    }

    private func victims(_ episode: Episode) -> [Int] {
        guard episode.prefersLeader, let leader = pulse.leader else { return episode.order }
        return [leader] + episode.order.filter { $0 != leader }
    }

    private static func some(_ victims: Fault.Victims, _ order: [Int]) -> [Int] {
        switch victims {
        case .one: [order[0]]
        case .minority: Array(order.prefix((order.count - 1) / 2))
        case .all: order
        }
    }

    private func names(_ victims: [Int]) -> String {
        (victims.count == 1 ? "node " : "nodes ")
            + victims.map { "\($0)" + ($0 == pulse.leader ? " (leader)" : "") }.joined(separator: ", ")
    }

    private func kill(_ victims: [Int], _ episode: Episode) async throws {
        notes.tell("SIGKILL to \(names(victims))")
        await nodes.kill(victims)
        try await rest(episode.lasts)
        try nodes.restart(victims)
        notes.tell("started \(names(victims))")
    }

    private func stop(_ victims: [Int], _ episode: Episode) async throws {
        notes.tell("SIGSTOP to \(names(victims))")
        nodes.stop(victims)
        try await rest(episode.lasts)
        nodes.resume(victims)
        notes.tell("SIGCONT to \(names(victims))")
    }

    private func restartLoop(_ node: Int, _ episode: Episode) async throws {
        let times = 3 + Int(episode.luck % 3)
        notes.tell("\(names([node])) is killed and started \(times) times")
        for time in 0..<times {
            await nodes.kill([node])
            try nodes.restart([node])
            // Sometimes in the middle of its recovery.
            try await rest(.milliseconds(Int64((episode.luck >> (8 * UInt64(time))) % 600)))
        }
    }

    private mutating func cut(_ cuts: LinkCuts, _ what: String, _ time: Duration) async throws {
        try await change(cuts, "cut: \(what)")
        try await rest(time)
        try await change(LinkCuts(), "all links are whole")
    }

    private mutating func change(_ cuts: LinkCuts, _ what: String) async throws {
        let network = stage.network
        precondition(network != nil, "no network of our own to cut")
        if !cuts.cuts.isEmpty {
            notes.tell(what)
            measure(with: cuts)
        }
        try network?.apply(cuts)
        // What is mended is whole only once the filters know it.
        measure(with: cuts)
        if cuts.cuts.isEmpty { notes.tell(what) }
    }

    private mutating func measure(with cuts: LinkCuts) {
        self.cuts = cuts
        meter.connected(cuts.hasConnectedMajority(of: stage.nodeCount, up: nodes.up))
    }

    private mutating func unseenDeath(_ node: Int, _ episode: Episode) async throws {
        notes.count(.clients)
        var cuts = CutShape.clients.cuts(node, [])
        try await change(cuts, "clients cut off from \(names([node])), which then dies")
        try await rest(.milliseconds(300))
        await nodes.kill([node])
        // Until its system has given up telling the clients that their connections are closed.
        try await rest(episode.lasts + .seconds(2))
        try nodes.restart([node])
        cuts = LinkCuts()
        try await change(cuts, "all links are whole")
    }

    /// The log must need room that is not there, so a large job is posted meanwhile.
    private func fillDisk(_ node: Int, _ episode: Episode) async throws {
        let disk = stage.disks[node - 1]
        nodes.setFull(true, node)
        let filled = try disk.fill()
        notes.count(.diskFull)
        notes.tell(
            "the disk of \(names([node])) is full (\(Figures.bytes(filled)) of ballast); a large job comes again and again")
        let posts = try await postLarge(Self.largePosts, episode, notAt: node) { nodes.hasEnded(node) }
        let end = nodes.hasEnded(node) ? "it ended" : "it goes on"
        notes.tell("\(posts) large posts later \(end)")
        try await rest(episode.lasts)
        disk.empty()
        nodes.setFull(false, node)
        notes.tell("the disk of node \(node) has room again")
    }

    /// The others' logs no longer have what it lacks: a peer's snapshot must bring it back.
    private func leaveBehind(_ node: Int, _ episode: Episode) async throws {
        notes.count(.leftBehind)
        notes.tell("SIGKILL to \(names([node])), and the others' logs grow")
        await nodes.kill([node])
        let posts = try await postLarge(Self.manyLargePosts, episode, notAt: node) { false }
        try nodes.restart([node])
        notes.tell("\(posts) large posts later node \(node) is started")
    }

    /// Until there were so many posts, or it takes too long, or there is no reason any more; gives how many there were.
    /// The client begins at another node than `victim`.
    private func postLarge(
        _ most: Int, _ episode: Episode, notAt victim: Int, until isEnough: () -> Bool
    ) async throws -> Int {
        // Places count from 0: this is the next node's.
        let client = try stage.makeClient(beginningWith: victim, timeout: .seconds(2))
        var probe = ChaosProbe("large", client, recorder, seed: episode.luck)
        var posts = 0
        let deadline = ContinuousClock.now + Self.longestGrowth
        while posts < most, !isEnough(), .now < deadline {
            posts += 1
            await probe.postLarge()
            try Task.checkCancellation()
        }
        await client.shutdown()
        return posts
    }
}
