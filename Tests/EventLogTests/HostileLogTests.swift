import Consensus
import Testing

@testable import EventLog

/// Checksums only show that nothing was changed by chance: what lies behind them must not end the process either.
/// Each of these was found by fuzzing.
@Suite struct HostileLogTests {
    private static let largest = UInt64.max

    /// A folder whose first segment begins with this, its checksum right.
    private static func folder(
        incarnation: UInt32 = 1, sequence: UInt64 = 1, index: UInt64 = 0, term: UInt64 = 0, time: UInt64 = 0, next: UInt64 = 0
    ) throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        try open(disk).0.close()
        let last = EntrySummary(
            kind: .commands, term: term, index: index, time: time, nextCommand: next, digest: .zero, byteCount: 0)
        let start = SegmentStart(segment: 1, cluster: tag, node: 1, hardState: HardState(term: 0, vote: nil), last: last)
        let batch = BatchBuffer()
        let prefix = FramePrefix(
            kind: .segmentStart, payloadLength: UInt32(SegmentStart.byteCount), incarnation: incarnation, sequence: sequence,
            durable: 0, commit: 0)
        batch.add(prefix) { start.write(to: $0) }
        batch.pad()
        try disk.overwrite("segment-00000001", at: 0, Array(batch.bytes))
        return disk
    }

    private static func folder(superblock: Superblock) throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        try open(disk).0.close()
        for slot: UInt64 in [0, 4096] { try disk.overwrite("superblock", at: slot, superblock.encoded()) }
        return disk
    }

    private static func superblock(sequence: UInt64 = 9, incarnation: UInt32 = 9) -> Superblock {
        Superblock(identity: me, sequence: sequence, incarnation: incarnation, durable: 1)
    }

    @Test func aStartBeyondAllNumbersIsDamage() throws {
        _ = try open(Self.folder(index: 5, term: 5, time: 5, next: 5))
        for disk in try [
            Self.folder(index: Self.largest), Self.folder(term: Self.largest), Self.folder(time: Self.largest),
            Self.folder(next: Self.largest),
        ] {
            #expect(code { _ = try open(disk) } == .damaged)
            #expect(try EventLog.scan(disk) { _ in true }.damage != nil)
        }
    }

    @Test func aLastOpeningIsDamageAndNotTheOneBefore() throws {
        #expect(try open(Self.folder(superblock: Self.superblock(incarnation: 1000))).1.incarnation == 1001)
        #expect(code { _ = try open(Self.folder(superblock: Self.superblock(incarnation: .max))) } == .damaged)
        #expect(code { _ = try open(Self.folder(incarnation: .max)) } == .damaged)
    }

    @Test func aLastSuperblockIsDamage() throws {
        #expect(code { _ = try open(Self.folder(superblock: Self.superblock(sequence: .max))) } == .damaged)
    }

    /// Repaired, it would be longer than a superblock has room for.
    @Test func aClusterNameThatIsNoTextIsDamage() throws {
        var slot = Self.superblock().encoded()
        slot[48] = 0xff
        slot.withUnsafeMutableBytes { $0.put(Hashing.digest($0.part(0..<4080)), at: 4080) }
        let disk = try Self.folder(superblock: Self.superblock())
        for offset: UInt64 in [0, 4096] { try disk.overwrite("superblock", at: offset, slot) }
        #expect(code { _ = try open(disk) } == .damaged)
    }
}
