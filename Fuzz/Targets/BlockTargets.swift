import Consensus
import EventLog
import WireFormat

extension FuzzTarget {
    static let block = FuzzTarget("block") { checkBlock($0) }

    /// Behind the digests: they are made right, and so are the lengths, unless the first zero byte is a one.
    static let blockSealed = FuzzTarget("block-sealed") { bytes in
        guard bytes.count >= BlockCodec.headerBytes else { return }
        var block = bytes
        if block[60] == 1 {
            block[60] = 0
        } else {
            let stored = UInt32(block.count - BlockCodec.headerBytes)
            block.put(stored, at: 56)
            if block[6] == 0 { block.put(stored, at: 52) }
        }
        sealBlock(&block, in: 0..<block.count)
        checkBlock(block)
    }

    /// Makes the digests of body and header right.
    static func sealBlock(_ bytes: inout [UInt8], in range: Range<Int>) {
        let start = range.lowerBound
        bytes.put(Digests.of(bytes[start + BlockCodec.headerBytes..<range.upperBound]), at: start + 80)
        bytes.put(Digests.of(bytes[start..<start + 96]), at: start + 96)
    }

    private static func checkBlock(_ bytes: [UInt8]) {
        let cluster = BlockCodec.clusterTag(Digests.cluster)
        guard let entry = try? BlockCodec.parse(bytes, cluster: cluster) else { return }
        hold(entry.block == bytes, "a block of other bytes than it was made of")
        hold(entry.summary.nextCommand >= entry.firstCommand, "command numbers run back")
        guard let payload = try? BlockCodec.payload(of: entry) else { return }
        hold(payload.count == BlockCodec.rawByteCount(of: entry), "a payload of another length than the header says")
        if let calls = try? payload.withUnsafeBytes({ try CommandCodec.decode($0, count: Int(entry.commandCount)) }) {
            hold(CommandCodec.encode(calls) == payload, "commands have two encodings")
        }
        let draft = EntryDraft(
            kind: entry.kind, term: entry.term, index: entry.index, time: entry.time, firstCommand: entry.firstCommand,
            commandCount: entry.commandCount, parent: entry.parent, payload: payload)
        let again = try? BlockCodec.payload(
            of: BlockCodec.parse(BlockCodec.seal(draft, cluster: cluster).block, cluster: cluster))
        hold(again == payload, "a payload does not survive sealing")
    }
}
