import Consensus
import NodeEngine
import Testing
import WireFormat

@Suite struct SnapshotFetchTests {
    private let snapshot = SnapshotReference(
        last: EntrySummary(
            kind: .snapshotMark, term: 1, index: 9, time: 0, nextCommand: 0, digest: Digest.zero, byteCount: 0),
        digest: Digest.zero)

    @Test func aLateWordAboutAnEarlierFetchDoesNotKeepThisOneFromItsEnd() {
        var actions: [SnapshotFetch.Action] = []
        var fetch = SnapshotFetch(snapshot, peers: [NodeID(2), NodeID(3)], first: NodeID(3), now: 0, &actions)
        fetch.received(.contents(snapshot, table: [1]), now: 1, &actions)
        fetch.stored(0, isRight: true, now: 2, &actions)
        fetch.opened(missing: [0], of: 1, now: 3, &actions)
        fetch.received(.chunk(snapshot, number: 0, stored: [7]), now: 4, &actions)
        fetch.stored(0, isRight: true, now: 5, &actions)
        #expect(
            actions == [
                .ask(NodeID(3), .askContents(snapshot)), .open(table: [1]), .ask(NodeID(3), .askChunk(snapshot, number: 0)),
                .store(number: 0, bytes: [7]), .finish,
            ])
        #expect(fetch.pieces == 1)
    }
}
