import Consensus
import Testing
import WireFormat

@testable import NodeEngine

/// Whom a node with corrupt blocks asks, and when it combines the copies that it gets.
@Suite struct BlockRepairTests {
    private static let peers: [NodeID] = [NodeID(2), NodeID(3)]
    private var repair = BlockRepair(peers: peers)
    private var now: UInt64 = 0

    private static func block(_ index: LogIndex) -> MissingBlock {
        MissingBlock(index: index, digest: Digest(high: index, low: 7))
    }

    private static func copy(_ byte: UInt8) -> BlockCopy { BlockCopy(bytes: [byte]) }

    private struct Asked: Equatable {
        var peer: NodeID
        var index: LogIndex
    }

    /// What is asked for from now on until `moment`: blocks, and corrupt copies of them.
    private mutating func pass(until moment: UInt64) -> (blocks: [Asked], copies: [Asked], combined: [MissingBlock]) {
        var seen: (blocks: [Asked], copies: [Asked], combined: [MissingBlock]) = ([], [], [])
        while now < moment {
            now += 50
            for action in repair.tick(now: now) {
                switch action {
                case .ask(let peer, .askBlock(let index, _)): seen.blocks.append(Asked(peer: peer, index: index))
                case .ask(let peer, .askCorruptBlock(let index, _)): seen.copies.append(Asked(peer: peer, index: index))
                case .ask(_, let question): Issue.record("asks \(question)")
                case .combine(let block, _): seen.combined.append(block)
                }
            }
        }
        return seen
    }

    private mutating func refuse(_ block: MissingBlock, by peers: [NodeID] = peers) {
        for peer in peers { repair.refused(block, by: peer, neverHad: false, now: now) }
    }

    private func combined(_ actions: [BlockRepair.Action]) -> [[BlockCopy]] {
        actions.compactMap { if case .combine(_, let copies) = $0 { copies } else { nil } }
    }

    @Test mutating func `corrupt copies are asked for once all peers have refused the block`() {
        repair.set([Self.block(5)])
        #expect(pass(until: 1000).copies.isEmpty)
        refuse(Self.block(5))
        #expect(pass(until: 1100).copies == Self.peers.map { Asked(peer: $0, index: 5) })
        #expect(repair.received(Self.copy(1), of: Self.block(5), from: Self.peers[0], now: now).isEmpty)
        let actions = repair.received(Self.copy(2), of: Self.block(5), from: Self.peers[1], now: now)
        #expect(combined(actions) == [[Self.copy(1), Self.copy(2)]])
    }

    @Test mutating func `an attempt that failed for want of a peer is made again as soon as that one answers`() {
        repair.set([Self.block(5)])
        refuse(Self.block(5))
        _ = pass(until: 100)
        _ = repair.received(Self.copy(1), of: Self.block(5), from: Self.peers[0], now: now)
        #expect(pass(until: 3000).combined == [Self.block(5)], "one peer is silent")
        repair.ended(Self.block(5), succeeded: false, now: now)
        let asked = pass(until: 4500).copies
        #expect(!asked.isEmpty && asked.allSatisfy { $0.peer == Self.peers[1] }, "who has answered is left alone: \(asked)")
        while pass(until: now + 50).copies.isEmpty {}
        let next = repair.received(Self.copy(2), of: Self.block(5), from: Self.peers[1], now: now)
        #expect(next.count == 1 && combined(next).isEmpty, "the other one is asked once more")
        let last = repair.received(Self.copy(1), of: Self.block(5), from: Self.peers[0], now: now)
        #expect(combined(last) == [[Self.copy(1), Self.copy(2)]])
    }

    @Test mutating func `copies of all peers that were not enough are left alone for longer each time`() {
        repair.set([Self.block(5)])
        var moments: [UInt64] = []
        for _ in 0..<3 {
            refuse(Self.block(5))
            while pass(until: now + 50).copies.isEmpty {}
            moments.append(now)
            for (byte, peer) in Self.peers.enumerated() {
                _ = repair.received(Self.copy(UInt8(byte)), of: Self.block(5), from: peer, now: now)
            }
            repair.ended(Self.block(5), succeeded: false, now: now)
        }
        #expect(moments[1] - moments[0] == 10_000 && moments[2] - moments[1] == 20_000)
    }

    @Test mutating func `a block that the disk had no room for is made again soon`() {
        repair.set([Self.block(5)])
        refuse(Self.block(5))
        for _ in 0..<5 {
            let start = now
            while pass(until: now + 50).copies.isEmpty {}
            #expect(now - start <= 2050)
            for (byte, peer) in Self.peers.enumerated() {
                _ = repair.received(Self.copy(UInt8(byte)), of: Self.block(5), from: peer, now: now)
            }
            repair.ended(Self.block(5), succeeded: false, lacksRoom: true, now: now)
        }
    }

    @Test mutating func `blocks that can't be made while a peer is silent keep no other block waiting`() {
        let blocks = (1...4).map { Self.block($0) }
        repair.set(blocks)
        for block in blocks { refuse(block) }
        var tried: [LogIndex: Int] = [:]
        while now < 60_000 {
            let seen = pass(until: now + 50)
            for asked in seen.copies where asked.peer == Self.peers[0] {
                tried[asked.index, default: 0] += 1
                _ = repair.received(Self.copy(1), of: Self.block(asked.index), from: asked.peer, now: now)
            }
            for block in seen.combined { repair.ended(block, succeeded: false, now: now) }
        }
        #expect(Set(tried.keys) == [1, 2, 3, 4])
    }

    @Test mutating func `every block that all have refused is asked for again, however many there are`() {
        let blocks = (1...40).map { Self.block($0) }
        repair.set(blocks)
        for block in blocks { refuse(block) }
        let asked = pass(until: 5000).blocks
        for peer in Self.peers {
            #expect(Set(asked.filter { $0.peer == peer }.map(\.index)) == Set(1...40), "node \(peer)")
        }
    }
}
