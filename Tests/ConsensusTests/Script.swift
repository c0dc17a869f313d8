@testable import Consensus

/// Writes down what replicas do, one line a deed, in words.
struct Script {
    private(set) var lines: [String] = []

    mutating func note(_ output: ReplicaOutput, by id: NodeID) {
        switch output {
        case .persist(let write): lines.append("\(id) orders \(Self.text(write))")
        case .send(let to, let message): lines.append("\(id) -> \(to) \(Self.text(message))")
        case .load(let peer, let from, _): lines.append("\(id) loads from \(from) for \(peer)")
        case .committed(let index): lines.append("\(id) commits \(index)")
        case .readReady(let read, let index): lines.append("\(id) may answer read \(read) at \(index)")
        case .readFailed(let read): lines.append("\(id) fails read \(read)")
        case .leader(let leader, let term):
            lines.append(leader.map { "\(id) sees \($0) lead term \(term)" } ?? "\(id) sees nobody lead term \(term)")
        case .fetchSnapshot(let snapshot, let peer):
            lines.append("\(id) fetches the snapshot at \(snapshot.index), first from \(peer)")
        case .install(let snapshot): lines.append("\(id) goes on from the snapshot at \(snapshot.index)")
        case .halt(let reason): lines.append("\(id) HALTS: \(reason)")
        }
    }

    mutating func add(_ line: String) {
        lines.append(line)
    }

    mutating func take() -> [String] {
        defer { lines = [] }
        return lines
    }

    private static func text(_ write: LogWrite) -> String {
        var parts: [String] = []
        if let state = write.hardState { parts.append("term \(state.term) vote \(state.vote.map { "\($0)" } ?? "-")") }
        if let from = write.truncateFrom { parts.append("cut from \(from)") }
        if let reset = write.reset { parts.append("a new log behind \(reset.index)/\(reset.term)") }
        if !write.entries.isEmpty { parts.append("entries \(text(write.entries))") }
        return "#\(write.number) " + parts.joined(separator: ", ")
    }

    static func text(_ entries: [Entry]) -> String {
        entries.map { "\($0.index)/\($0.term)" }.joined(separator: " ")
    }

    private static func text(_ message: Message) -> String {
        switch message {
        case .preVote(let m): "pre-vote? term \(m.term) last \(m.lastIndex)/\(m.lastTerm)"
        case .preVoteReply(let m): "pre-vote \(m.granted ? "yes" : "no") term \(m.askedTerm) (own \(m.term))"
        case .vote(let m): "vote?\(m.isHandOver ? " by hand-over" : "") term \(m.term) last \(m.lastIndex)/\(m.lastTerm)"
        case .voteReply(let m): "vote \(m.granted ? "yes" : "no") term \(m.term)"
        case .append(let m):
            "append term \(m.term) after \(m.previousIndex)/\(m.previousTerm)"
                + (m.entries.isEmpty ? "" : " entries \(text(m.entries))") + " commit \(m.commit)"
        case .appendReply(let m):
            switch m.result {
            case .durable(let index): "durable \(index) term \(m.term)"
            case .conflict(let at, let hint, let hintTerm): "conflict at \(at), try \(hint)/\(hintTerm), term \(m.term)"
            case .installing(let pieces): "installing, \(pieces) pieces, term \(m.term)"
            }
        case .heartbeat(let m): "heartbeat term \(m.term) round \(m.round) commit \(m.commit)"
        case .heartbeatReply(let m):
            "alive term \(m.term) round \(m.round) durable \(m.durable)" + (m.room == .ample ? "" : " room \(m.room.word)")
        case .readIndex(let m): "read index? term \(m.term)"
        case .readIndexReply(let m): "read index \(m.index) term \(m.term)"
        case .snapshotOffer(let m): "offer of the snapshot at \(m.snapshot.index)/\(m.snapshot.last.term) term \(m.term)"
        case .takeOver(let m): "take over, term \(m.term) last \(m.lastIndex)"
        }
    }
}
