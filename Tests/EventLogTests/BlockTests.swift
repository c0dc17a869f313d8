import Consensus
import EventLog
import Testing

@Suite struct BlockTests {
    private static func draft(_ payload: [UInt8], kind: EntryKind = .commands) -> EntryDraft {
        EntryDraft(
            kind: kind, term: 3, index: 42, time: 1_700_000_000_123, firstCommand: 1000, commandCount: 5,
            parent: Digest(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10), payload: payload)
    }

    @Test func aRawBlockHasTheseBytes() throws {
        let entry = BlockCodec.seal(Self.draft(Array("hello".utf8)), cluster: tag)
        #expect(hex(entry.block) == Golden.rawBlock)
        #expect(try BlockCodec.parse(bytes(hex: Golden.rawBlock), cluster: tag).summary == entry.summary)
    }

    /// Read only: another release of the library may compress the same payload to other bytes.
    @Test func aCompressedBlockOfThisFormatStaysReadable() throws {
        let entry = try BlockCodec.parse(bytes(hex: Golden.compressedBlock), cluster: tag)
        #expect(entry.index == 42 && entry.term == 3 && entry.commandCount == 5 && entry.time == 1_700_000_000_123)
        #expect(try BlockCodec.payload(of: entry) == [UInt8](repeating: 0x61, count: 200))
    }

    @Test func whatIsSealedParsesAndGivesItsPayload() throws {
        var luck = Luck(1)
        for round in 0..<300 {
            let count = round < 130 ? round : luck.below(20_000)
            let payload = luck.next() & 1 == 0 ? luck.text(count) : luck.bytes(count)
            let draft = Self.draft(payload, kind: EntryKind.allCases[luck.below(3)])
            let entry = BlockCodec.seal(draft, cluster: tag)
            #expect(BlockCodec.seal(draft, cluster: tag).block == entry.block)
            let parsed = try BlockCodec.parse(entry.block, cluster: tag)
            #expect(parsed.summary == entry.summary && parsed.block == entry.block && parsed.parent == draft.parent)
            #expect(try BlockCodec.payload(of: parsed) == payload)
            #expect(BlockCodec.rawByteCount(of: parsed) == count)
            #expect(entry.block.count <= BlockCodec.headerBytes + count)
        }
    }

    @Test func textIsCompressedAndNoiseIsNot() {
        var luck = Luck(2)
        #expect(BlockCodec.seal(Self.draft(luck.text(4096)), cluster: tag).block.count < 3000)
        #expect(BlockCodec.seal(Self.draft(luck.bytes(4096)), cluster: tag).block.count == 4096 + BlockCodec.headerBytes)
    }

    @Test(arguments: [false, true]) func everyTurnedBitIsRefused(compressed: Bool) throws {
        let payload = compressed ? [UInt8](repeating: 7, count: 300) : Array("a small payload".utf8)
        let block = BlockCodec.seal(Self.draft(payload), cluster: tag).block
        for bit in 0..<block.count * 8 {
            var broken = block
            broken[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: BlockError.self) { try BlockCodec.parse(broken, cluster: tag) }
        }
    }

    @Test func everyOtherLengthIsRefused() {
        let block = BlockCodec.seal(Self.draft([1, 2, 3]), cluster: tag).block
        for count in 0..<block.count {
            #expect(throws: BlockError.self) { try BlockCodec.parse(Array(block[..<count]), cluster: tag) }
        }
        #expect(throws: BlockError.length) { try BlockCodec.parse(block + [0], cluster: tag) }
    }

    @Test func garbageIsRefused() {
        var luck = Luck(3)
        for _ in 0..<2000 {
            let garbage = luck.bytes(luck.below(400))
            #expect(throws: BlockError.self) { try BlockCodec.parse(garbage, cluster: tag) }
        }
    }

    @Test func aBlockOfAnotherClusterIsRefused() {
        let block = BlockCodec.seal(Self.draft([1]), cluster: tag).block
        #expect(throws: BlockError.otherCluster) { try BlockCodec.parse(block, cluster: tag + 1) }
    }

    /// A stranger can make digests that match; what it can't make is a reader that crashes or gives other lengths.
    @Test func aHeaderThatMatchesItsDigestStillCannotLieAboutLengths() throws {
        let good = BlockCodec.seal(Self.draft([UInt8](repeating: 9, count: 500)), cluster: tag)
        for (offset, value) in [(52, UInt32.max), (52, 64 << 20), (56, 0), (56, UInt32.max), (28, UInt32.max), (44, UInt32.max)] {
            var block = good.block
            withUnsafeBytes(of: value.littleEndian) { block.replaceSubrange(offset..<offset + 4, with: $0) }
            #expect(throws: BlockError.self) { try BlockCodec.parse(Golden.resealed(block), cluster: tag) }
        }
        var block = good.block
        withUnsafeBytes(of: UInt32(501).littleEndian) { block.replaceSubrange(52..<56, with: $0) }
        let liar = try BlockCodec.parse(Golden.resealed(block), cluster: tag)
        #expect(throws: BlockError.decompression) { try BlockCodec.payload(of: liar) }
    }
}
