import Consensus

extension SearchWorld {
    /// Everything that can happen next, in a fixed order.
    func moves() -> [SearchMove] {
        // A full network loses something first; otherwise a loss is a message that never arrives.
        if flights.count > bounds.messages { return flights.indices.map { .lose(UInt8($0)) } }
        var moves: [SearchMove] = flights.indices.map { .deliver(UInt8($0)) }
        if spent.repeats < bounds.repeats { moves += flights.indices.map { .repeated(UInt8($0)) } }
        for node in 0..<Self.size { addMoves(of: node, to: &moves) }
        if bounds.copies > 0 { addCopyMoves(to: &moves) }
        return moves
    }

    private func addMoves(of node: Int, to moves: inout [SearchMove]) {
        let replica = replicas[node]
        let disk = disks[node]
        let place = UInt8(node)
        if let loss = losses[node] { return addMoves(of: place, aside: loss, to: &moves) }
        for writes in 0..<disk.waitedFor { moves.append(.complete(place, writes: UInt8(writes + 1))) }
        if spent.timeouts < bounds.timeouts { moves.append(.timeOut(place)) }
        if spent.beats < bounds.beats {
            if replica.isLeader {
                moves.append(.beat(place))
            } else if !replica.askedReads.isEmpty {
                moves.append(.askAgain(place))
            }
        }
        if spent.cuts < bounds.cuts {
            for peer in 0..<Self.size where peer != node && (replica.isLeader || replica.leader == replicas[peer].id) {
                moves.append(.cut(place, UInt8(peer)))
            }
        }
        if spent.proposals < bounds.proposals, replica.isLeader, replica.acceptsWrites { moves.append(.propose(place)) }
        if spent.reads < bounds.reads, replica.leader != nil { moves.append(.read(place)) }
        if spent.crashes < bounds.crashes {
            for surviving in 0...disk.pending.count { moves.append(.crash(place, surviving: UInt8(surviving))) }
        }
        // As long as the others still know theirs: a cluster that has lost more than that stands still.
        if spent.losses < bounds.losses, losses.allSatisfy({ $0 == nil }) {
            for kept in 0...disk.entries.count { moves.append(.forget(place, keeping: UInt8(kept))) }
        }
    }

    private func addMoves(of place: UInt8, aside loss: SearchLoss, to moves: inout [SearchMove]) {
        guard loss.found == nil else { return moves.append(.comeBack(place)) }
        for peer in loss.unheard { moves.append(.hear(place, from: UInt8(peer))) }
    }

    /// The same move in words, with what it is about.
    func describe(_ move: SearchMove) -> String {
        switch move {
        case .deliver(let place): "deliver \(describe(flights[Int(place)]))"
        case .repeated(let place): "deliver, and keep on its way, \(describe(flights[Int(place)]))"
        case .lose(let place): "lose \(describe(flights[Int(place)]))"
        case .complete(let node, let writes): "node \(node + 1) hears that its oldest \(writes) writes are durable"
        case .timeOut(let node): "node \(node + 1) runs out of patience"
        case .beat(let node): "node \(node + 1) sends heartbeats"
        case .askAgain(let node): "node \(node + 1) asks again about its reads"
        case .cut(let node, let peer): "node \(node + 1) loses its connection to node \(peer + 1)"
        case .propose(let node): "node \(node + 1) appends a command"
        case .read(let node): "a read comes to node \(node + 1)"
        case .sendCopy(let node): "the client sends its payload to node \(node + 1), in term \(ledTerm(of: Int(node)))"
        case .takeCopy(let place, let answer):
            "the copy for node \(client.copies[Int(place)].node + 1) in term \(client.copies[Int(place)].term) arrives: \(answer)"
        case .crash(let node, let surviving):
            "node \(node + 1) crashes and starts again; \(surviving) of \(disks[Int(node)].pending.count) writes were done"
        case .forget(let node, let kept):
            "node \(node + 1) dies, and its disk keeps \(kept) of \(disks[Int(node)].entries.count) entries and no vote"
        case .hear(let node, let peer): "node \(node + 1), which stands aside, hears how node \(peer + 1) stands"
        case .comeBack(let node): "node \(node + 1) takes part again"
        }
    }

    private func describe(_ flight: Flight) -> String {
        "\(flight.from + 1)->\(flight.to + 1) \(describe(flight.message))"
    }

    private func describe(_ message: Message) -> String {
        switch message {
        case .preVote(let it): "preVote term \(it.term) last \(it.lastIndex)/\(it.lastTerm)"
        case .preVoteReply(let it): "preVoteReply term \(it.term) asked \(it.askedTerm) granted \(it.granted)"
        case .vote(let it): "\(it.isHandOver ? "hand-over " : "")vote term \(it.term) last \(it.lastIndex)/\(it.lastTerm)"
        case .voteReply(let it): "voteReply term \(it.term) granted \(it.granted)"
        case .append(let it):
            "append term \(it.term) after \(it.previousIndex)/\(it.previousTerm) commit \(it.commit) "
                + "entries \(it.entries.map { "\($0.index)/\($0.term)" })"
        case .appendReply(let it): "appendReply term \(it.term) \(it.result)"
        case .heartbeat(let it): "heartbeat term \(it.term) round \(it.round) commit \(it.commit)"
        case .heartbeatReply(let it): "heartbeatReply term \(it.term) round \(it.round) durable \(it.durable)"
        case .readIndex(let it): "readIndex term \(it.term) nonce \(it.nonce)"
        case .readIndexReply(let it): "readIndexReply term \(it.term) nonce \(it.nonce) index \(it.index)"
        case .snapshotOffer(let it): "snapshotOffer term \(it.term) index \(it.snapshot.index)"
        case .takeOver(let it): "takeOver term \(it.term) last \(it.lastIndex)"
        }
    }
}
