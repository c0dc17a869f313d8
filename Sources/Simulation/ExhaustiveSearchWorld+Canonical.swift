import Consensus

extension SearchWorld {
    /// What two worlds share if and only if the same can happen after them, but for a renaming of nodes.
    ///
    /// The smallest hash over all namings that put the nodes in the order of what they are, names apart: mostly one.
    func fingerprint() -> CanonicalHash {
        let kinds = (0..<Self.size).map { kind(of: $0) }
        var smallest: CanonicalHash?
        for order in Self.orders where kinds[order[0]] <= kinds[order[1]] && kinds[order[1]] <= kinds[order[2]] {
            var places = [UInt64](repeating: 0, count: Self.size)
            for (name, node) in order.enumerated() { places[node] = UInt64(name) }
            let hash = encoded(under: names(places))
            smallest = smallest.map { min($0, hash) } ?? hash
        }
        return smallest!
    }

    private static let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]

    private func kind(of node: Int) -> CanonicalHash {
        var hash = CanonicalHash()
        let names = names(Array(repeating: 0, count: Self.size))
        replicas[node].encodeCanonically(names, into: &hash)
        disks[node].encode(names, into: &hash)
        encodeLoss(of: node, names, into: &hash)
        return hash
    }

    private func encodeLoss(of node: Int, _ names: CanonicalNames, into hash: inout CanonicalHash) {
        hash.add(losses[node] == nil ? nil : 1)
        losses[node]?.encode(names, into: &hash)
    }

    private func names(_ places: [UInt64]) -> CanonicalNames {
        var names = CanonicalNames(places: places)
        guard bounds.reads > 0 else { return names }
        names.reads = record.reads.map { ($0.number, $0.mustSee + 1) }
        for replica in replicas {
            for (place, asked) in replica.askedReads.enumerated() { names.nonces.append((asked.nonce, UInt64(place + 1))) }
        }
        return names
    }

    private func encoded(under names: CanonicalNames) -> CanonicalHash {
        var members = CanonicalHash()
        for node in 0..<Self.size {
            var member = CanonicalHash()
            member.add(names.places[node])
            replicas[node].encodeCanonically(names, into: &member)
            disks[node].encode(names, into: &member)
            encodeLoss(of: node, names, into: &member)
            members.merge(member)
        }
        for flight in flights {
            var member = CanonicalHash()
            member.add(names.places[flight.from] << 8 | names.places[flight.to] | 1 << 16)
            flight.message.encodeCanonically(round: round(of: flight), names, staleAge: 10_000, into: &member)
            members.merge(member)
        }
        var hash = CanonicalHash()
        hash.add(members)
        record.encode(names, into: &hash)
        if bounds.copies > 0 { client.encode(names, into: &hash) }
        for count in [
            spent.proposals, spent.crashes, spent.losses, spent.repeats, spent.timeouts, spent.beats, spent.cuts, spent.reads,
        ] {
            hash.add(UInt64(count))
        }
        return hash
    }

    /// Rounds matter to the leader that counts them, and by the reads they would confirm alone.
    private func round(of flight: Flight) -> UInt64 {
        let (leader, term, round): (Int, Term, UInt64)
        switch flight.message {
        case .heartbeat(let heartbeat): (leader, term, round) = (flight.from, heartbeat.term, heartbeat.round)
        case .heartbeatReply(let reply): (leader, term, round) = (flight.to, reply.term, reply.round)
        case .preVote, .preVoteReply, .vote, .voteReply, .append, .appendReply, .readIndex, .readIndexReply, .snapshotOffer,
            .takeOver:
            return 0
        }
        return replicas[leader].term == term ? replicas[leader].canonicalRound(round) : 0
    }
}
