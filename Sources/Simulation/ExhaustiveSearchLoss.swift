import Consensus
import NodeStorage

/// A node that has lost what it had promised, and stands aside until each of the others has told how it stands: the shipped
/// rule, `PeerStandings`, in the searched world.
struct SearchLoss: Sendable {
    /// What a node had told when it was heard; nil until then.
    private(set) var heard: [(term: Term, last: EntrySummary)?]
    private let node: Int
    /// What it goes on with, once its blocks are there.
    private(set) var found: (hardState: HardState, entries: [Entry])?

    init(of node: Int) {
        self.node = node
        heard = Array(repeating: nil, count: SearchWorld.size)
    }

    /// Whose word is missing.
    var unheard: [Int] { heard.indices.filter { $0 != node && heard[$0] == nil } }

    mutating func hear(_ peer: Int, term: Term, last: EntrySummary) {
        heard[peer] = (term, last)
    }

    /// What those who were heard have told comes to.
    func verdict(ofAll: Bool) -> (term: Term, last: EntrySummary)? {
        let peers = heard.indices.filter { $0 != node && (ofAll || heard[$0] != nil) }.map { SearchWorld.voters.voters[$0] }
        var standings = PeerStandings(of: peers, life: 0)
        for (peer, told) in heard.enumerated() {
            if let told { standings.answered(SearchWorld.voters.voters[peer], life: 0, term: told.term, last: told.last) }
        }
        return standings.verdict
    }

    mutating func find(_ hardState: HardState, _ entries: [Entry]) {
        found = (hardState, entries)
    }

    /// Nobody has the blocks of the log that was the most up to date: that log was given up meanwhile, and all are asked anew.
    mutating func askAgain() {
        heard = Array(repeating: nil, count: SearchWorld.size)
    }

    func encode(_ names: CanonicalNames, into hash: inout CanonicalHash) {
        for (peer, told) in heard.enumerated() {
            guard let told else { continue }
            var member = CanonicalHash()
            for value in [names.places[peer], told.term, told.last.digest.low] { member.add(value) }
            hash.merge(member)
        }
        hash.add(found.map { $0.hardState.term })
        hash.add(found.map { UInt64($0.entries.count) })
        hash.add(found?.entries.last?.digest.low)
    }
}

extension SearchWorld {
    mutating func forget(_ node: Int, keeping kept: Int) {
        spent.losses += 1
        disks[node].forget(keeping: kept)
        record.forgetReads(of: node)
        replicas[node] = started(node)
        losses[node] = SearchLoss(of: node)
    }

    /// A standing is what a process knows, on disk or not.
    mutating func hear(_ node: Int, from peer: Int) {
        losses[node]!.hear(peer, term: replicas[peer].term, last: replicas[peer].log.last)
        guard let verdict = losses[node]!.verdict(ofAll: !bounds.learnsFromOne) else { return }
        guard let entries = blocks(through: verdict.last) else { return losses[node]!.askAgain() }
        // A leap counts from the terms that are told: what this node's own disk had known of is lost with its vote. A real one
        // is over more terms than can ever have been, this one over as many as the node can have asked for votes in.
        let leap = bounds.leapsNot ? 0 : Term(bounds.timeouts)
        losses[node]!.find(PeerStandings.hardState(known: 0, told: verdict.term, leap: leap), entries)
    }

    /// From whichever disk has them.
    private func blocks(through last: EntrySummary) -> [Entry]? {
        guard last.index > 0 else { return [] }
        for disk in disks {
            let entries = disk.readable(from: 1)
            guard entries.count >= Int(last.index), entries[Int(last.index) - 1].digest == last.digest else { continue }
            return Array(entries.prefix(Int(last.index)))
        }
        return nil
    }

    mutating func comeBack(_ node: Int) {
        guard let found = losses[node]?.found else { preconditionFailure("node \(node + 1) has not heard all others") }
        sights.returns += 1
        losses[node] = nil
        disks[node].restore(found.hardState, found.entries)
        replicas[node] = started(node)
    }
}
