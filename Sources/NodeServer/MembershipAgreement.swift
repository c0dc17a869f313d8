import Consensus
import Synchronization
import WireFormat

/// Which peers have lately greeted with this node's own membership: tells which of two cluster files is the wrong one.
final class MembershipAgreement: Sendable {
    private let agreeing = Mutex<Set<NodeID>>([])

    /// One line that names the node whose file is wrong, where a majority of the listed nodes has said the same; nil when the
    /// memberships are equal. `own` is this node.
    func refusal(of peer: NodeID, _ theirs: PeerFacts, own: NodeID, _ ours: PeerFacts) -> String? {
        guard theirs.membership != ours.membership || !ours.members.contains(peer.rawValue) else {
            _ = agreeing.withLock { $0.insert(peer) }
            return nil
        }
        let others = agreeing.withLock { agreeing in
            agreeing.remove(peer)
            return agreeing
        }
        let lists = "that of node \(peer) lists \(Self.words(theirs.members)), that of this node \(Self.words(ours.members))"
        guard !others.isEmpty, others.count + 1 > ours.members.count / 2 else {
            return "the cluster files of node \(peer) and of this node, \(own), differ: \(lists); "
                + "give the node whose file differs from the others' the same file as them"
        }
        return "node \(peer) has another cluster file than the majority: \(lists); give node \(peer) the file of the others"
    }

    private static func words(_ members: [UInt64]) -> String {
        (members.count == 1 ? "node " : "nodes ") + members.map { "\($0)" }.joined(separator: ", ")
    }
}
