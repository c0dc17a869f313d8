import Consensus
import EventLog
import WireFormat

extension Workload {
    static let blocks = [
        Workload("block: seal 100 posts") {
            let draft = draftOfPosts()
            return { times in
                for _ in 0..<times { keep(BlockCodec.seal(draft, cluster: 1)) }
            }
        },
        Workload("block: open 100 posts") {
            let block = BlockCodec.seal(draftOfPosts(), cluster: 1).block
            return { times in
                for _ in 0..<times {
                    let entry = try BlockCodec.parse(block, cluster: 1)
                    let payload = try BlockCodec.payload(of: entry)
                    keep(try payload.withUnsafeBytes { try CommandCodec.decode($0, count: 100) })
                }
            }
        },
    ]

    private static func draftOfPosts() -> EntryDraft {
        EntryDraft(
            kind: .commands, term: 1, index: 1, time: Samples.moment, firstCommand: 0, commandCount: 100, parent: .zero,
            payload: CommandCodec.encode(Samples.posts(100, session: 7)))
    }
}
