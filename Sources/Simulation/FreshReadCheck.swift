import Consensus
import NodeEngine
import WireFormat

/// A fresh read sees everything that anybody held to be committed when it came to the node.
///
/// Clients' histories tell the same, but for the few jobs that a read and a write happen to share.
struct FreshReadCheck {
    private struct Asked: Hashable {
        var node: Int
        var client: ClientReference
    }

    /// How much was committed; only looked up, never walked.
    private var mustSee: [Asked: LogIndex] = [:]

    mutating func asked(_ request: Request, _ client: ClientReference, at node: Int, committed: Int) {
        guard case .read(_, fresh: true) = request else { return }
        let asked = Asked(node: node, client: client)
        // A copy of the same request may be answered by what the first one was told.
        if mustSee[asked] == nil { mustSee[asked] = LogIndex(committed) }
    }

    /// `index`: what the node had applied when it answered.
    mutating func answered(_ response: Response, _ client: ClientReference, at node: Int, index: LogIndex) throws(Violation) {
        guard let committed = mustSee[Asked(node: node, client: client)] else { return }
        switch response {
        case .job, .jobs, .owner:
            guard index >= committed else {
                throw Violation("node \(node + 1) answers a fresh read at \(index), and \(committed) was committed when it came")
            }
        default: return
        }
    }
}
