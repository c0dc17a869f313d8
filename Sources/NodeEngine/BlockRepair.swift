package import Consensus
import WireFormat

/// Which blocks to ask for, and from whom: every peer in turn, until the log says that none is missing.
package struct BlockRepair: Sendable {
    /// Questions at a time.
    private static let window = 16
    /// Milliseconds until the next peer is asked.
    private static let patience: UInt64 = 300

    private var missing: [MissingBlock] = []
    private var askedAt: UInt64?
    private var turn = 0

    package init() {}

    package var isWanting: Bool { !missing.isEmpty }

    /// These are missing now. When others were before, they are asked for at once.
    package mutating func set(_ now: [MissingBlock]) {
        if now != missing { askedAt = nil }
        missing = now
    }

    /// Whom to ask for what, now.
    package mutating func questions(to peers: [NodeID], now: UInt64) -> [(peer: NodeID, block: MissingBlock)] {
        guard !missing.isEmpty, !peers.isEmpty else { return [] }
        if let askedAt {
            guard now - askedAt >= Self.patience else { return [] }
            turn += 1
        }
        askedAt = now
        let peer = peers[turn % peers.count]
        return missing.prefix(Self.window).map { (peer, $0) }
    }
}

extension Engine {
    /// The disk found rot in the log that this node runs on: what is in memory goes on, the disk gets its blocks back.
    mutating func blocksMissing(_ missing: [MissingBlock], _ effects: inout [EngineEffect]) {
        repair.set(missing)
        effects.append(.notice(.blocksMissing(missing.count)))
        askForBlocks(&effects)
    }

    mutating func askForBlocks(_ effects: inout [EngineEffect]) {
        guard repair.isWanting else { return }
        for (peer, block) in repair.questions(to: replica.peers, now: now.monotonic) {
            effects.append(.transfer(to: peer, .askBlock(index: block.index, digest: block.digest)))
        }
    }
}
