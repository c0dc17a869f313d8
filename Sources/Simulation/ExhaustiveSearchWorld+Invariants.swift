import Consensus

extension SearchWorld {
    /// What must hold between the nodes of any world. What binds worlds over time is checked as moves are made.
    func check() throws(Violation) {
        if client.isRefused, record.committed.contains(where: { SearchClient.isPayload($0.digest) }) {
            throw Violation("the payload is committed, and its client was told that it has no effect")
        }
        for node in 0..<Self.size {
            for other in 0..<node { try Self.checkMatching(replicas[node].log, replicas[other].log, node, other) }
            if replicas[node].isLeader { try checkCompleteness(of: replicas[node]) }
        }
    }

    /// Raft paper, figure 3, log matching: the same index and term means the same history.
    static func checkMatching(_ log: ReplicaLog, _ other: ReplicaLog, _ node: Int, _ otherNode: Int) throws(Violation) {
        let shared = min(log.lastIndex, other.lastIndex)
        guard shared > 0 else { return }
        for index in 1...shared
        where log.term(at: index) == other.term(at: index) && log.digest(at: index) != other.digest(at: index) {
            throw Violation("entry \(index) is another at nodes \(node + 1) and \(otherNode + 1), and its term the same")
        }
    }

    /// Raft paper, figure 3, leader completeness: what was committed in a term is in the logs of leaders of later ones.
    private func checkCompleteness(of leader: Replica) throws(Violation) {
        for (place, entry) in record.committed.enumerated() where entry.term <= leader.term {
            guard leader.log.digest(at: LogIndex(place + 1)) == entry.digest else {
                throw Violation(
                    "node \(leader.id) leads term \(leader.term) without entry \(place + 1), committed in term \(entry.term)")
            }
        }
    }

    /// Nobody else led its term, and when it began, a majority's votes were on disk; its own counts like any other.
    mutating func checkLeader(_ node: Int, isNew: Bool) throws(Violation) {
        let term = replicas[node].term
        try record.lead(node, term: term)
        guard isNew, bounds.checksPromises else { return }
        let own = disks[node].hardState == HardState(term: term, vote: replicas[node].id) ? 1 : 0
        guard own + record.votes(for: node, term: term) >= 2 else {
            throw Violation("node \(node + 1) leads term \(term) without a majority of votes that are on disk")
        }
    }

    /// What a message promises is on its sender's disk when it is sent.
    mutating func checkPromise(_ flight: Flight) throws(Violation) {
        let disk = disks[flight.from]
        var promised: LogIndex = 0
        switch flight.message {
        case .voteReply(let reply) where reply.granted:
            let backed = disk.hardState == HardState(term: reply.term, vote: replicas[flight.to].id)
            guard backed || !bounds.checksPromises else {
                throw Violation("node \(flight.from + 1) sends a vote in term \(reply.term) that is not on its disk")
            }
            try record.vote(of: flight.from, for: flight.to, term: reply.term)
        case .appendReply(let reply):
            if case .durable(let index) = reply.result { promised = index }
        case .heartbeatReply(let reply): promised = reply.durable
        case .preVote, .preVoteReply, .vote, .voteReply, .append, .heartbeat, .readIndex, .readIndexReply, .snapshotOffer,
            .takeOver:
            break
        }
        guard promised > 0, bounds.checksPromises else { return }
        guard let digest = replicas[flight.from].log.digest(at: promised), disk.holds(digest, at: promised) else {
            throw Violation("node \(flight.from + 1) acknowledges entry \(promised), which is not on its disk")
        }
        let leader = replicas[flight.to]
        if leader.isLeader, leader.term == replicas[flight.from].term, leader.log.digest(at: promised) != digest {
            throw Violation("node \(flight.from + 1) acknowledges entry \(promised), and has another than its leader")
        }
    }
}
