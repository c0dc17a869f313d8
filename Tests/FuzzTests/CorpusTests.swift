import FuzzTargets
import Testing

/// What fuzzing found worth keeping, once more with each run of the tests.
@Suite struct CorpusTests {
    @Test(arguments: FuzzTarget.all) func everyKeptInputStillHolds(_ target: FuzzTarget) throws {
        let inputs = try Corpus.inputs(of: target)
        #expect(!inputs.isEmpty)
        for input in inputs {
            #expect(input.bytes.count <= target.maximumBytes, "\(input.name)")
            target.check(input.bytes)
        }
    }

    @Test func everyTargetHasAFolderAndEveryFolderATarget() throws {
        #expect(try Corpus.folders() == Set(FuzzTarget.all.map(\.name)))
    }

    /// These are golden bytes too: a change of the log's formats shows here.
    @Test func theSeedsOfTheLogAreTheFilesThatItWrites() throws {
        let log = LogFolderMaker.sampleSegments
        for target in ["segments", "segments-sealed"] {
            #expect(try Corpus.holds(log, as: "log", of: target))
        }
        #expect(try Corpus.holds(LogFolderMaker.superblock, as: "superblock", of: "superblock"))
        let noted = LogFolderMaker.sampleSuperblock
        #expect(try Corpus.holds(noted, as: "notes", of: "superblock"))
        #expect(try Corpus.holds(Array(noted[..<560] + noted[4096..<4656]), as: "notes", of: "superblock-sealed"))
        #expect(try Corpus.holds(LogFolderMaker.samplePatch, as: "patch", of: "patches"))
        let fields = LogFolderMaker.superblockFields
        #expect(try Corpus.holds(fields(2) + fields(1), as: "fields", of: "superblock-sealed"))
        for (place, block) in LogFolderMaker.sampleBlocks.enumerated() {
            #expect(try Corpus.holds(block, as: "\(place)", of: "block"))
            #expect(try Corpus.holds(block, as: "\(place)", of: "block-sealed"))
        }
    }

    @Test func theSeedsOfSnapshotsAreWhatIsWritten() throws {
        for target in ["snapshot", "snapshot-sealed"] { #expect(try Corpus.holds(SnapshotMaker.file, as: "file", of: target)) }
        for target in ["snapshot-state", "snapshot-state-sealed"] {
            #expect(try Corpus.holds(SnapshotMaker.state, as: "state", of: target))
        }
    }
}
