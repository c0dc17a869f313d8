package import Consensus
import WireFormat

/// Finds out from all other voters what a node must hold and must not vote for that no longer knows it by itself.
///
/// What it helped to commit is on the disks of a majority, and so on that of one of those who still know theirs, as long
/// as those who don't are no majority. Whoever's log is the most up to date of them holds it, by leader completeness
/// (Raft, 5.4.3): so a log that goes on from that one's end lacks nothing. Whomever it voted for had asked for that vote,
/// and was in that term from then on; one who has lost its own has begun a new life since, and is no candidate of an old
/// term. So it needs the word of *each* of the others, given since this life began, and then votes in later terms alone,
/// much later ones, so that it never asks again for what its earlier life had asked for.
/// Until then it takes no part: what the others decide without it is decided by majorities that share a voter with every
/// one that it was ever in.
package struct PeerStandings {
    private struct Standing {
        var term: Term
        /// The last entry; nil of one who has lost it itself.
        var last: EntrySummary?
    }

    private let peers: [NodeID]
    private let life: UInt32
    /// Only looked up.
    private var known: [NodeID: Standing] = [:]
    private var nextQuestion: UInt64 = 0

    /// `life`: by chance, so that it is no other opening's.
    package init(of peers: [NodeID], life: UInt32) {
        self.peers = peers
        self.life = life
    }

    /// Whose word is waited for: those who have not answered; else, where too few know how their logs end, those who don't.
    var awaited: [NodeID] {
        guard silent.isEmpty, verdict == nil else { return silent }
        return peers.filter { known[$0].map { $0.last == nil } ?? true }
    }

    /// Whether anything has ever happened in this cluster; nil while nobody who has answered knows of something and somebody
    /// has not answered. Who has lost everything counts as nobody, since all others are asked as well.
    var hasHistory: Bool? {
        if peers.contains(where: { known[$0].map { $0.term > 0 || ($0.last?.index ?? 0) > 0 } ?? false }) { return true }
        return silent.isEmpty ? false : nil
    }

    /// Who has not answered yet.
    var silent: [NodeID] { peers.filter { known[$0] == nil } }

    /// Everybody is asked again from time to time: their logs grow.
    mutating func tick(now: UInt64, send: (NodeID, Transfer) -> Void) {
        guard now >= nextQuestion else { return }
        nextQuestion = now + 200
        for peer in peers { send(peer, .askStanding(life: life)) }
    }

    package mutating func answered(_ peer: NodeID, life: UInt32, term: Term, last: EntrySummary?) {
        guard life == self.life, peers.contains(peer) else { return }
        known[peer] = Standing(term: term, last: last)
    }

    /// The highest term, and the end of the most up-to-date log; nil until all have answered and enough of them know.
    package var verdict: (term: Term, last: EntrySummary)? {
        let standings = peers.compactMap { known[$0] }
        let ends = standings.compactMap(\.last)
        // A majority that this node was in has a voter who knows: those who don't, itself among them, are too few.
        let lost = peers.count + 1 - ends.count
        guard standings.count == peers.count, lost < (peers.count + 1) / 2 + 1 else { return nil }
        guard let last = ends.max(by: { ($0.term, $0.index) < ($1.term, $1.index) }) else { return nil }
        return (standings.map(\.term).max() ?? 0, last)
    }
    /// What a node votes with once it has heard the verdict, when its own vote is lost and `known` is the last term that it
    /// knows of.
    ///
    /// Whoever had its vote in a term was in that term, and has told so: in a later one it gave none. But it may have asked for
    /// votes in later ones, and what it asked, or was answered, may come yet: it must not ask again there, so it leaps over them.
    package static func hardState(known: Term, told: Term, leap: Term) -> HardState {
        HardState(term: max(known, told) + leap, vote: nil)
    }
}
