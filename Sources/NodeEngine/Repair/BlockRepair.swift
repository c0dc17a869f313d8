package import Consensus
package import WireFormat

/// Which blocks to ask for, and from whom: every peer in turn, until the log says that none is missing. What no peer has whole
/// is made out of what all of them still have of it.
package struct BlockRepair: Sendable {
    package enum Action: Sendable {
        case ask(NodeID, Transfer)
        /// Combine these copies of the block with the log's own, off the event loop; then call `ended`.
        case combine(MissingBlock, [BlockCopy])
    }

    /// Questions at a time.
    private static let window = 16
    /// Milliseconds until the next peer is asked.
    private static let patience: UInt64 = 300

    private let peers: [NodeID]
    private var missing: [MissingBlock] = []
    private var askedAt: UInt64?
    private var turn = 0
    package private(set) var refusals: BlockRefusals
    private var combined: CombinedRepair

    package init(peers: [NodeID]) {
        self.peers = peers
        refusals = BlockRefusals(peers: peers.count)
        combined = CombinedRepair(peers: peers)
    }

    package var isWanting: Bool { !missing.isEmpty }

    /// These are missing now. When others were before, they are asked for at once.
    package mutating func set(_ now: [MissingBlock]) {
        if now != missing { askedAt = nil }
        missing = now
        refusals.keep(now)
    }

    /// All peers are asked again before anything counts as refused.
    package mutating func forgetRefusals() { refusals.forget() }

    /// The peer can't give the block.
    package mutating func refused(_ block: MissingBlock, by peer: NodeID, neverHad: Bool, now: UInt64) {
        guard missing.contains(block), peers.contains(peer) else { return }
        refusals.add(block, by: peer, neverHad: neverHad, now: now)
    }

    /// What the peer has left of the block; nil when it has nothing.
    package mutating func received(_ copy: BlockCopy?, of block: MissingBlock, from peer: NodeID, now: UInt64) -> [Action] {
        combined.received(copy, of: block, from: peer, now: now).map(Self.action)
    }

    /// What `combine` had asked for has ended.
    package mutating func ended(_ block: MissingBlock, succeeded: Bool, lacksRoom: Bool = false, now: UInt64) {
        combined.ended(block, succeeded: succeeded, lacksRoom: lacksRoom, now: now)
    }

    /// What to do now that time has passed.
    package mutating func tick(now: UInt64) -> [Action] {
        guard !missing.isEmpty, !peers.isEmpty else {
            // No copies are kept for a block that came whole in the end.
            combined.set([])
            return []
        }
        combined.set(missing.filter { refusals.isOnlyCorrupt($0, now: now) })
        return questions(now: now) + combined.tick(now: now).map(Self.action)
    }

    /// Whom to ask for what. Those that a peer may have come before those that all have refused; of these others each round, since
    /// a peer may have got any of them back.
    private mutating func questions(now: UInt64) -> [Action] {
        if let askedAt {
            guard now - askedAt >= Self.patience else { return [] }
            turn += 1
        }
        askedAt = now
        let peer = peers[turn % peers.count]
        let (hopeful, refused) = (missing.filter { !refusals.isRefusedByAll($0) }, missing.filter(refusals.isRefusedByAll))
        let room = max(0, Self.window - hopeful.count)
        let first = refused.isEmpty ? 0 : turn / peers.count * room % refused.count
        return (hopeful + refused[first...] + refused[..<first]).prefix(Self.window).map {
            .ask(peer, .askBlock(index: $0.index, digest: $0.digest))
        }
    }

    private static func action(_ action: CombinedRepair.Action) -> Action {
        switch action {
        case .ask(let peer, let block): .ask(peer, .askCorruptBlock(index: block.index, digest: block.digest))
        case .combine(let block, let copies): .combine(block, copies)
        }
    }
}

extension Engine {
    /// The disk found that blocks of the log that this node runs on are corrupt: what is in memory goes on, the disk gets its
    /// blocks back.
    mutating func blocksMissing(_ missing: [MissingBlock], _ effects: inout [EngineEffect]) {
        repair.set(missing)
        effects.append(.notice(.blocksMissing(missing.count)))
        askForBlocks(&effects)
    }

    mutating func askForBlocks(_ effects: inout [EngineEffect]) {
        guard repair.isWanting else { return }
        perform(repair.tick(now: now.monotonic), &effects)
    }

    mutating func receive(_ copy: BlockCopy?, of block: MissingBlock, from peer: NodeID, _ effects: inout [EngineEffect]) {
        perform(repair.received(copy, of: block, from: peer, now: now.monotonic), &effects)
    }

    private func perform(_ actions: [BlockRepair.Action], _ effects: inout [EngineEffect]) {
        for action in actions {
            switch action {
            case .ask(let peer, let question): effects.append(.transfer(to: peer, question))
            case .combine(let block, let copies): effects.append(.combine(block, copies))
            }
        }
    }
}
