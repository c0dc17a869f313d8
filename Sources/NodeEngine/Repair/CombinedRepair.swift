import Consensus

/// Asks all peers for their corrupt copies of a block that none of them has whole, so that the copies can be combined; one
/// block after another.
struct CombinedRepair: Sendable {
    enum Action: Sendable {
        case ask(NodeID, MissingBlock)
        /// These copies, and the node's own, may be enough: `ended` says.
        case combine(MissingBlock, [BlockCopy])
    }

    /// Milliseconds that peers have for their answers.
    private static let patience: UInt64 = 2000
    /// Milliseconds until a block is tried again whose copies were not enough: twice as long each time.
    private static let pause: UInt64 = 10_000
    private static let longestPause: UInt64 = 600_000

    private struct Attempt {
        var block: MissingBlock
        var began: UInt64
        var answered: Set<NodeID> = []
        /// In the order of `peers` once it is asked for.
        var copies: [NodeID: BlockCopy] = [:]
        var isCombining = false
    }

    private struct Failure {
        var count: UInt64 = 0
        var nextAt: UInt64 = 0
    }

    private let peers: [NodeID]
    /// No peer has them whole; in the order in which they are tried.
    private var blocks: [MissingBlock] = []
    private var attempt: Attempt?
    /// Only looked up.
    private var failures: [MissingBlock: Failure] = [:]

    init(peers: [NodeID]) {
        self.peers = peers
    }

    /// These can be had from no peer now.
    mutating func set(_ now: [MissingBlock]) {
        guard now != blocks else { return }
        blocks = now
        for block in failures.keys.filter({ !now.contains($0) }) { failures[block] = nil }
        if let current = attempt, !current.isCombining, !now.contains(current.block) { attempt = nil }
    }

    mutating func tick(now: UInt64) -> [Action] {
        guard let current = attempt else { return begin(now: now) }
        guard !current.isCombining, now >= current.began + Self.patience else { return [] }
        return combine(now: now)
    }

    private mutating func begin(now: UInt64) -> [Action] {
        guard let block = blocks.first(where: { now >= failures[$0]?.nextAt ?? 0 }) else { return [] }
        attempt = Attempt(block: block, began: now)
        return peers.map { .ask($0, block) }
    }

    /// `copy`: nil from a peer that has nothing of it.
    mutating func received(_ copy: BlockCopy?, of block: MissingBlock, from peer: NodeID, now: UInt64) -> [Action] {
        guard attempt?.block == block, attempt?.isCombining == false, peers.contains(peer) else { return [] }
        attempt?.answered.insert(peer)
        attempt?.copies[peer] = copy
        return attempt?.answered.count == peers.count ? combine(now: now) : []
    }

    private mutating func combine(now: UInt64) -> [Action] {
        guard let current = attempt else { return [] }
        let copies = peers.compactMap { current.copies[$0] }
        guard !copies.isEmpty else {
            ended(current.block, succeeded: false, now: now)
            return []
        }
        attempt?.isCombining = true
        attempt?.copies = [:]
        return [.combine(current.block, copies)]
    }

    /// The copies were combined, or were not enough.
    mutating func ended(_ block: MissingBlock, succeeded: Bool, now: UInt64) {
        guard attempt?.block == block else { return }
        attempt = nil
        guard !succeeded else { return failures[block] = nil }
        let count = failures[block]?.count ?? 0
        let pause = min(Self.pause << min(count, 16), Self.longestPause)
        failures[block] = Failure(count: count + 1, nextAt: now + pause)
    }
}
