import Consensus
import EventLog
import NodeEngine
import NodeStorage
import Testing
import WireFormat

/// Snapshots while descriptors are short: that there is none is never said of one that can't be opened now.
@Suite struct SnapshotScarcityTests {
    @Test func `a peer that asks for a snapshot is not told that there is none, and the scrubber finds no rot`() throws {
        let lone = try LoneEngine()
        let state = lone.engine.state
        let last = try #require(lone.engine.replica.log.summaries.first { $0.index == state.index })
        let disk = SimulatedDisk()
        let desk = SnapshotDesk(on: disk, settings: EngineSettings(cluster: "test", clientAddresses: [:]))
        guard case .snapshotTaken(let snapshot?, _) = try desk.write(state, upTo: last) else {
            Issue.record("no snapshot was taken")
            return
        }
        let questions: [Transfer] = [.askContents(nil), .askContents(snapshot), .askContentsAt(state.index)]
        for asks in 0...1 {
            for question in questions {
                // A new desk has no file open.
                let server = SnapshotDesk(on: disk, settings: EngineSettings(cluster: "test", clientAddresses: [:]))
                disk.asksUntilScarce = asks
                let answer = server.answer(question)
                #expect(answer == nil || { if case .contents = answer?.answer { true } else { false } }(), "\(question)")
                #expect(answer?.rot == nil)
                disk.asksUntilScarce = nil
                guard case .contents(snapshot, _)? = server.answer(question)?.answer else {
                    Issue.record("\(question) is not answered when descriptors are there again")
                    return
                }
            }
            disk.asksUntilScarce = asks
            #expect((try? desk.scrub(maxBytes: 1 << 20)) == nil)
            disk.asksUntilScarce = nil
        }
    }
}
