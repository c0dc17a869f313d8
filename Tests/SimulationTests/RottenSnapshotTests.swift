import Consensus
import EventLog
import Jobboard
import NodeEngine
import NodeStorage
import Testing
import WireFormat

/// A peer asks for the pieces of a snapshot that has rotted.
@Suite struct RottenSnapshotTests {
    private let disk = SimulatedDisk()
    private let desk: SnapshotDesk
    private let snapshot: SnapshotReference
    private let file: String

    init() throws {
        let settings = EngineSettings(cluster: "three", clientAddresses: [:])
        let state = AppliedState(limits: settings.limits, rememberedEvents: settings.rememberedEvents)
        let mark = BlockCodec.seal(
            EntryDraft(
                kind: .snapshotMark, term: 1, index: 1, time: 1_700_000_000_000, firstCommand: 0, commandCount: 0,
                parent: EntrySummary.beforeFirst.digest, payload: []), cluster: BlockCodec.clusterTag("three"))
        desk = SnapshotDesk(on: disk, settings: settings)
        guard case .snapshotTaken(let taken?, _) = try desk.write(state, upTo: mark.summary) else {
            throw EventLogError(.missing, "no snapshot was taken")
        }
        snapshot = taken
        file = try #require(try disk.list().first { $0.hasPrefix("snapshot-") })
    }

    private func chunk() throws -> (stored: [UInt8]?, rot: SnapshotRot?) {
        let (answer, rot) = try #require(desk.answer(.askChunk(snapshot, number: 0)))
        switch answer {
        case .chunk(snapshot, 0, let stored): return (stored, rot)
        case .noSnapshot(snapshot): return (nil, rot)
        default: throw EventLogError(.damaged, "\(answer)")
        }
    }

    private func isNamed(_ rot: SnapshotRot?, _ name: SnapshotReference?) -> Bool {
        guard case .snapshotRotted(1, let found)? = rot?.input, rot?.faults.count == 1 else { return false }
        return found == name
    }

    @Test func whoIsAskedForARottenPieceSaysSo() throws {
        let whole = try chunk()
        #expect(whole.stored != nil && whole.rot == nil)
        disk.flipBit(3, ofByte: 0, in: file)
        let rotten = try chunk()
        #expect(rotten.stored == nil && isNamed(rotten.rot, snapshot))
        disk.flipBit(3, ofByte: 0, in: file)
        let again = try chunk()
        #expect(again.stored == whole.stored && again.rot == nil)
    }

    @Test func whereTheTableHasRottedThereIsNoName() throws {
        disk.flipBit(0, ofByte: UInt64(try #require(disk.contents(file)).count) - 1, in: file)
        let rotten = try chunk()
        #expect(rotten.stored == nil && isNamed(rotten.rot, nil))
    }

    @Test func whatIsNotThereHasNotRotted() throws {
        let other = SnapshotReference(last: snapshot.last, digest: Digest(high: 1, low: 2))
        for question in [Transfer.askContentsAt(7), .askContents(other), .askChunk(snapshot, number: 1)] {
            let (answer, rot) = try #require(desk.answer(question))
            guard case .noSnapshot = answer else { throw EventLogError(.damaged, "\(answer)") }
            #expect(rot == nil)
        }
    }

    /// The file that peers are answered from stays open: once it is replaced, it must not be that one any more.
    @Test func aMendedSnapshotIsGivenAtOnce() throws {
        guard case .contents(_, let table)? = desk.answer(.askContents(snapshot))?.answer else {
            throw EventLogError(.missing, "no table")
        }
        let piece = try #require(try chunk().stored)
        disk.flipBit(3, ofByte: 0, in: file)
        #expect(try chunk().stored == nil)
        guard case .snapshotOpened(snapshot, [0], 1) = try desk.open(snapshot, table: table),
            case .chunkStored(snapshot, 0, true) = try desk.put(snapshot, number: 0, piece)
        else { throw EventLogError(.damaged, "it can't be mended") }
        _ = desk.answer(.askContents(snapshot))
        guard case .snapshotMended(snapshot) = try desk.finish(snapshot, readingState: false) else {
            throw EventLogError(.damaged, "it was not mended")
        }
        let mended = try chunk()
        #expect(mended.stored == piece && mended.rot == nil)
    }
}
