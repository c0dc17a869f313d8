import Consensus
import Testing

@testable import EventLog

/// What a folder remembers of its cluster's nodes.
@Suite struct MembershipTests {
    private static let three = Membership(voters: [3, 1, 2])

    private static func refusal(_ disk: SimulatedDisk, _ membership: Membership) -> EventLogError? {
        do throws(EventLogError) {
            try EventLog.open(on: disk, identity: me, membership: membership, options: small).0.close()
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [[1], [1, 2], [1, 2, 4], [1, 2, 3, 4, 5]] as [[UInt64]])
    func `a folder is refused under another membership, and nothing in it is changed`(other: [UInt64]) throws {
        let disk = SimulatedDisk()
        #expect(Self.refusal(disk, Self.three) == nil)
        let superblock = disk.contents("superblock")
        let writes = disk.counters.writes
        let error = Self.refusal(disk, Membership(voters: other))
        #expect(error?.code == .wrongMembership)
        #expect(error?.description.hasPrefix("it belongs to a cluster of nodes 1, 2, 3, and this node was started as") == true)
        #expect(disk.contents("superblock") == superblock && disk.counters.writes == writes)
        #expect(Self.refusal(disk, Self.three) == nil)
    }

    @Test func `a folder without a membership takes the first one it is opened with, in both copies`() throws {
        let disk = SimulatedDisk()
        try open(disk).0.close()
        #expect(Self.refusal(disk, Self.three) == nil)
        for slot: UInt64 in [0, 1] {
            let copy = SimulatedDisk()
            try open(copy).0.close()
            #expect(Self.refusal(copy, Self.three) == nil)
            copy.flipBit(3, ofByte: slot * 4096 + 50, in: "superblock")
            #expect(Self.refusal(copy, Membership(voters: [1]))?.code == .wrongMembership)
        }
    }

    /// Made by another program from the description in scale.md, section 3, row 6.
    @Test func `the digest has these bytes`() {
        let digest = Self.three.digest(cluster: BlockCodec.clusterTag("test"))
        #expect("\(digest)" == "269b6c66454d55012c2a82dc08409637")
        #expect(digest != Membership(voters: [1, 2]).digest(cluster: BlockCodec.clusterTag("test")))
        #expect(digest != Self.three.digest(cluster: BlockCodec.clusterTag("other")))
    }
}
