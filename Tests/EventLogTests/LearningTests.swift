import Consensus
import Testing

@testable import EventLog

/// A log that others tell where it ends.
@Suite struct LearningTests {
    /// Behind, at, and before its own end; of its own branch and of another.
    @Test func whatIsLearnedIsTheEndAndTheRestIsAskedFor() throws {
        let entries = chain(6)
        let others = Array(entries[..<3]) + chain(after: entries[2].summary, 4, term: 7)
        for (held, end) in [
            (entries, others), (Array(entries[..<2]), entries), (entries, Array(entries[..<4])), (entries, entries),
        ] {
            let disk = SimulatedDisk()
            let log = try open(disk).0
            try log.append([write(held, state: HardState(term: 1, vote: nil))])
            let learned = HardState(term: 7, vote: NodeID(2))
            try log.learn(end: end[end.count - 1].summary, hardState: learned)
            #expect(throws: EventLogError.self, "it must be opened anew") { try log.append([write([])]) }
            let (again, recovery) = try open(disk)
            #expect(recovery.last == end[end.count - 1].summary && recovery.hardState == learned)
            #expect(!recovery.isEndLost && !recovery.isHardStateLost)
            try heal(again, from: end)
            let healed = try open(disk).1
            #expect(healed.entries == end.map(\.summary) && healed.damage == nil)
        }
    }

    /// A copy of the superblock rots right after: the other one knows as well.
    @Test func whatIsLearnedIsKnownTwice() throws {
        let entries = chain(3)
        for copy: UInt64 in [0, 4096] {
            let disk = SimulatedDisk()
            let log = try open(disk).0
            try log.append([write(entries)])
            try log.learn(end: entries[1].summary, hardState: HardState(term: 3, vote: nil))
            disk.flipBit(0, ofByte: copy + 60, in: "superblock")
            let recovery = try open(disk).1
            #expect(recovery.last == entries[1].summary && recovery.hardState.term == 3 && recovery.damage == nil)
        }
    }
}
