import Consensus
import EventLog
import NodeEngine
import NodeStorage

/// The same block is corrupt on every node, in different bytes: together the nodes still hold all of it.
extension SimulatedCluster {
    /// Some block that every node has whole rots on every disk, where a log must tell that from a torn tail; no byte of it on two
    /// of them. Not while anything else is corrupt.
    mutating func rotEverywhere() {
        let (choice, isRange) = (random.next(), random.below(3) == 0)
        guard nodes.count > 1, nodes.allSatisfy({ $0.isRunning && !$0.isDamaged && !$0.disk.isRotten }) else { return }
        let logs = nodes.map { $0.log! }
        let first = logs.map { $0.base.index + 1 }.max()!
        let last = nodes.map { $0.engine!.replica.commit }.min()!
        // Not the last one: only a block behind it names its digest, and without that no copy can be judged.
        guard first < last else { return }
        let index = first + choice % (last - first)
        let places = logs.compactMap { $0.placeOfBlock(index) }
        guard places.count == nodes.count, let entry = try? logs[0].read(from: index, through: index, maxBytes: 0).first,
            zip(logs, places).allSatisfy({ log, place in
                log.covered.contains { $0.file == place.file && $0.bytes.contains(place) }
            })
        else { return }
        report.sights.add(.sharedRot)
        sharedRot[entry.digest] = entry.block
        trace.note(time, "entry \(index) rots on all disks")
        note(0x58, index, time)
        let count = entry.block.count
        for node in nodes.indices {
            for place in rottenBytes(of: count, node, isRange: isRange) {
                let mask = UInt8(1 + random.below(255))
                nodes[node].disk.rot(mask, ofByte: places[node].start + UInt64(place), in: places[node].file)
            }
            nodes[node].isHealed = false
        }
    }

    /// Bytes that rot at this node and at no other: a few here and there, or a range of its own. Few enough for two of the nodes to
    /// make the block good.
    private mutating func rottenBytes(of count: Int, _ node: Int, isRange: Bool) -> [Int] {
        let share = count / nodes.count
        if isRange, share > 0 { return Array(node * share..<node * share + 1 + Int(random.below(UInt64(share)))) }
        return (0..<1 + Int(random.below(4))).compactMap { _ in
            let place = Int(random.below(UInt64(max(1, share)))) * nodes.count + node
            return place < count ? place : nil
        }.uniqued()
    }

    mutating func planCombination(_ work: BlockCombination, at node: Int) {
        queue.plan(.combine(node: node, life: nodes[node].life, work), at: time + 1 + random.below(50_000))
    }

    mutating func combine(_ work: BlockCombination, at node: Int, life: UInt64) throws {
        guard nodes[node].life == life, nodes[node].isUp else { return }
        let bytes = work.run()
        if let bytes {
            report.sights.add(.blocksCombined)
            trace.note(time, "node \(nodes[node].id) puts entry \(work.block.index) together from all copies")
            if let original = sharedRot[work.block.digest], original != bytes {
                throw Violation("node \(nodes[node].id) puts entry \(work.block.index) together from wrong bytes")
            }
        }
        note(0x59, UInt64(node), work.block.index)
        guard nodes[node].isRunning else { return try repairCombined(node, work.block, bytes) }
        if let bytes { try takeBlock(bytes, at: node) }
        try step(node, [.blockCombined(work.block, succeeded: bytes != nil)])
    }

    /// No node lacks a block that it could not get back yet. What its snapshot stands for it need not have. A lone node has
    /// nobody to get a block from.
    var lacksNothing: Bool { nodes.count == 1 || nodes.allSatisfy { Self.lack(of: $0) == nil } }

    /// All that was found to be corrupt is whole again at every node.
    func checkSharedRot() throws(Violation) {
        guard nodes.count > 1 else { return }
        for node in nodes {
            if let index = Self.lack(of: node) { throw Violation("node \(node.id) still lacks entry \(index)") }
        }
    }

    private static func lack(of node: SimulatedNode) -> LogIndex? {
        let snapshot = node.engine?.replica.snapshot?.index ?? 0
        return node.log?.missing?.indexes.last { $0 > snapshot }
    }
}

extension Range<UInt64> {
    fileprivate func contains(_ place: (file: String, start: UInt64, count: Int)) -> Bool {
        lowerBound <= place.start && place.start + UInt64(place.count) <= upperBound
    }
}

extension [Int] {
    fileprivate func uniqued() -> [Int] { Set(self).sorted() }
}
