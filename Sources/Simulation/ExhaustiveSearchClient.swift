import Consensus
import Jobboard
import NodeEngine
import WireFormat

/// A client of the searched world, which sends one payload until it is answered, by the shipped rules: `AddressedTerm` says
/// where a copy may go and who takes it, `EffectlessAnswers` what a leader remembers.
///
/// An answer is heard at once or never, since a client that sends another copy has given up the connection of the one before.
/// Leaders refuse a payload whenever they like, and without a round that confirms them: it isn't needed for this.
struct SearchClient: Sendable {
    struct Copy: Sendable {
        var node: Int
        var term: Term
        /// No later copy has been sent.
        var isNewest: Bool
        /// Not the first one.
        var isRepeated: Bool
    }

    /// What happens to a copy that arrives.
    enum Answer: Equatable, Sendable {
        case isNotTaken
        case isProposed
        /// It has no effect, and the client does not hear so.
        case isRefused
        case isRefusedAndHeard
        /// Its payload was carried out before, and the client may hear so.
        case wasDone
    }

    private(set) var copies: [Copy] = []
    private(set) var isRefused = false
    private var isDone = false
    private(set) var sent = 0
    private var addressed = AddressedTerm()
    private var memories = Array(repeating: EffectlessAnswers(), count: SearchWorld.size)

    /// One request of one session.
    private static let call = SessionCommand(session: 1, sequence: 1, acknowledgedBelow: 1, command: .closeSession)

    /// Digests tell payloads of the client from other entries.
    static func mark(_ high: UInt64, isPayload: Bool) -> UInt64 { high & ~1 | (isPayload ? 1 : 0) }
    static func isPayload(_ digest: Digest) -> Bool { digest.high & 1 == 1 }

    var isAnswered: Bool { isRefused || isDone }

    func maySend(to term: Term, checked: Bool) -> Bool { !isAnswered && (!checked || addressed.allows(term)) }

    mutating func send(to node: Int, leading term: Term, checked: Bool) {
        if checked { addressed.sent(to: term) }
        for place in copies.indices { copies[place].isNewest = false }
        copies.append(Copy(node: node, term: term, isNewest: true, isRepeated: sent > 0))
        sent += 1
    }

    mutating func arrived(_ place: Int) -> Copy { copies.remove(at: place) }

    mutating func refuse(at node: Int, heard: Bool, remembering: Bool) {
        let error = JobboardError(.unclaimable, "")
        if remembering { memories[node].add(Self.call, .refused(error), limit: 1 << 10) }
        if heard { isRefused = true }
    }

    mutating func wasDone() { isDone = true }

    func remembers(_ node: Int) -> Bool {
        var memory = memories[node]
        return memory.verdict(on: Self.call) != .new
    }

    mutating func forgetMemory(of node: Int) { memories[node] = EffectlessAnswers() }

    func encode(_ names: CanonicalNames, into hash: inout CanonicalHash) {
        for copy in copies {
            var member = CanonicalHash()
            member.add(names.places[copy.node])
            member.add(copy.term << 2 | (copy.isNewest ? 2 : 0) | (copy.isRepeated ? 1 : 0))
            hash.merge(member)
        }
        for node in memories.indices where remembers(node) {
            var member = CanonicalHash()
            member.add(names.places[node] + 100)
            hash.merge(member)
        }
        hash.add(UInt64(sent) << 2 | (isRefused ? 2 : 0) | (isDone ? 1 : 0))
        hash.add(addressed.latest)
    }
}

extension SearchWorld {
    func ledTerm(of node: Int) -> Term { replicas[node].isLeader ? replicas[node].term : 0 }

    func addCopyMoves(to moves: inout [SearchMove]) {
        for node in 0..<Self.size where losses[node] == nil && client.sent < bounds.copies {
            let term = ledTerm(of: node)
            if term > 0 || bounds.asksFollowers, client.maySend(to: term, checked: !bounds.turnsBack) {
                moves.append(.sendCopy(UInt8(node)))
            }
        }
        for (place, copy) in client.copies.enumerated() {
            for answer in answers(to: copy) { moves.append(.takeCopy(UInt8(place), answer)) }
        }
    }

    private func answers(to copy: SearchClient.Copy) -> [SearchClient.Answer] {
        let (replica, led) = (replicas[copy.node], ledTerm(of: copy.node))
        let isTaken = bounds.takesAnyTerm ? led > 0 : AddressedTerm.isTaken(copy.term, byLeaderOf: led)
        guard isTaken else { return [.isNotTaken] }
        // It waits until the term's first entry is committed.
        guard replica.termIsOpen else { return [] }
        if holdsPayload(replica, from: 1, through: replica.commit) { return [.wasDone] }
        var answers: [SearchClient.Answer] = []
        if replica.acceptsWrites, !client.remembers(copy.node) { answers.append(.isProposed) }
        let isUnderWay = holdsPayload(replica, from: replica.commit + 1, through: replica.log.lastIndex)
        if !isUnderWay || !copy.isRepeated || bounds.answersTooSoon {
            answers.append(.isRefused)
            if copy.isNewest, !client.isAnswered { answers.append(.isRefusedAndHeard) }
        }
        return answers
    }

    private func holdsPayload(_ replica: Replica, from first: LogIndex, through last: LogIndex) -> Bool {
        guard first <= last else { return false }
        return (first...last).contains { replica.log.digest(at: $0).map { SearchClient.isPayload($0) } ?? false }
    }

    mutating func takeCopy(_ place: Int, _ answer: SearchClient.Answer) throws(Violation) {
        let copy = client.arrived(place)
        switch answer {
        case .isNotTaken: break
        case .isProposed: try step(copy.node, .propose(kind: .commands, payload: [1], commandCount: 1))
        case .isRefused, .isRefusedAndHeard:
            client.refuse(at: copy.node, heard: answer == .isRefusedAndHeard, remembering: !bounds.remembersNothing)
        case .wasDone: if copy.isNewest { client.wasDone() }
        }
    }
}
