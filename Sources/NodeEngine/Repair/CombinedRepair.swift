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
    /// Milliseconds until those are asked again that have not answered: they may be starting.
    private static let repetition: UInt64 = 500
    /// Milliseconds until a block is tried again whose copies were not enough: twice as long each time.
    private static let pause: UInt64 = 10_000
    private static let longestPause: UInt64 = 600_000
    /// Milliseconds until a block is made again that the disk had no room for.
    private static let pauseForRoom: UInt64 = 2000

    private struct Attempt {
        var block: MissingBlock
        var began: UInt64
        var askedAt: UInt64
        /// Those who were silent in the attempt before are asked first: without them it would end as that one.
        var isForSilent: Bool
        var answered: Set<NodeID> = []
        /// In the order of `peers` once it is asked for.
        var copies: [NodeID: BlockCopy] = [:]
        var isCombining = false
    }

    private struct Failure {
        var count: UInt64 = 0
        var nextAt: UInt64 = 0
        /// When it was tried last.
        var triedAt: UInt64 = 0
        /// Whose answers were not enough. Those of the others may be, as soon as they are up again.
        var heard: Set<NodeID> = []
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
        guard !current.isCombining else { return [] }
        if now >= current.began + Self.patience { return combine(now: now) }
        guard now >= current.askedAt + Self.repetition else { return [] }
        if current.isForSilent {
            attempt = nil
            failures[current.block]?.triedAt = now
            return []
        }
        return askAll(now: now)
    }

    /// Who has not answered yet.
    private mutating func askAll(now: UInt64) -> [Action] {
        guard let current = attempt else { return [] }
        attempt?.askedAt = now
        let known = current.isForSilent ? failures[current.block]?.heard ?? [] : []
        return peers.filter { !current.answered.contains($0) && !known.contains($0) }.map { .ask($0, current.block) }
    }

    /// The block that has waited longest of those that may be tried.
    private mutating func begin(now: UInt64) -> [Action] {
        let due = blocks.filter { isDue($0, now: now) }
        guard let block = due.min(by: { failures[$0]?.triedAt ?? 0 < failures[$1]?.triedAt ?? 0 }) else { return [] }
        attempt = Attempt(block: block, began: now, askedAt: now, isForSilent: now < failures[block]?.nextAt ?? 0)
        return askAll(now: now)
    }

    private func isDue(_ block: MissingBlock, now: UInt64) -> Bool {
        guard let failure = failures[block], now < failure.nextAt else { return true }
        return failure.heard.count < peers.count && now >= failure.triedAt + Self.repetition
    }

    /// `copy`: nil from a peer that has nothing of it.
    mutating func received(_ copy: BlockCopy?, of block: MissingBlock, from peer: NodeID, now: UInt64) -> [Action] {
        guard attempt?.block == block, attempt?.isCombining == false, peers.contains(peer) else { return [] }
        attempt?.answered.insert(peer)
        attempt?.copies[peer] = copy
        if attempt?.answered.count == peers.count { return combine(now: now) }
        guard attempt?.isForSilent == true else { return [] }
        attempt?.isForSilent = false
        attempt?.began = now
        return askAll(now: now)
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

    /// The copies were combined and the block is stored, or they were not enough, or there was no room for it.
    mutating func ended(_ block: MissingBlock, succeeded: Bool, lacksRoom: Bool = false, now: UInt64) {
        guard let current = attempt, current.block == block else { return }
        attempt = nil
        guard !succeeded else { return failures[block] = nil }
        var failure = failures[block] ?? Failure()
        (failure.triedAt, failure.heard) = (now, current.answered)
        if lacksRoom {
            failure.nextAt = now + Self.pauseForRoom
        } else {
            failure.nextAt = now + min(Self.pause << min(failure.count, 16), Self.longestPause)
            failure.count += 1
        }
        failures[block] = failure
    }
}
