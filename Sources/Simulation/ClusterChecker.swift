import Consensus
import Jobboard
import NodeEngine

/// Something that must never be was.
package struct Violation: Error, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Watches all nodes from outside: what must hold between them, at every step and over their lives.
struct ClusterChecker {
    private struct Ballot: Hashable {
        var voter: NodeID
        var term: Term
    }

    private var leaders: [Term: NodeID] = [:]
    /// Votes that were counted or could be: sent, or one's own that was counted.
    private var votes: [Ballot: NodeID] = [:]
    /// The digest of every index that any node held to be committed.
    private(set) var committed: [Digest] = []
    /// Every entry that any node ordered from its disk.
    private var entries: [Digest: Entry] = [:]
    private(set) var reference: ReferenceBoard
    private var consumedBy: [JobID: UInt64] = [:]
    /// The snapshot that nodes took at each index.
    private var snapshots: [LogIndex: SnapshotReference] = [:]

    init(limits: BoardLimits) {
        reference = ReferenceBoard(limits: limits)
    }

    /// After each step of a node; `before` is what it was.
    mutating func check(
        _ engine: Engine, before: (term: Term, commit: LogIndex, leads: Bool), _ sights: inout Sights
    ) throws(Violation) {
        let replica = engine.replica
        // What is cheap the engine has checked itself, at the end of the turn.
        engine.checkUnderWay()
        guard replica.term >= before.term else {
            throw Violation("node \(replica.id) went back from term \(before.term) to \(replica.term)")
        }
        guard replica.commit >= before.commit, engine.state.index == replica.commit else {
            throw Violation(
                "node \(replica.id) committed \(before.commit), then \(replica.commit), and applied \(engine.state.index)")
        }
        if before.leads, !replica.isLeader { sights.add(.leadersDeposed) }
        guard replica.isLeader else { return }
        if let other = leaders[replica.term], other != replica.id {
            throw Violation("nodes \(other) and \(replica.id) both led term \(replica.term)")
        }
        if leaders.updateValue(replica.id, forKey: replica.term) == nil {
            sights.add(.elections)
            try voted(replica.id, for: replica.id, in: replica.term)
        }
    }

    private mutating func voted(_ voter: NodeID, for candidate: NodeID, in term: Term) throws(Violation) {
        if let other = votes.updateValue(candidate, forKey: Ballot(voter: voter, term: term)), other != candidate {
            throw Violation("node \(voter) voted for \(other) and for \(candidate) in term \(term)")
        }
    }

    /// Who begins to lead has the votes of a majority; its own is one of them when it is on its disk.
    func checkElection(of leader: Replica, _ truth: DurableTruth) throws(Violation) {
        let count = leader.configuration.voters.count { voter in
            voter == leader.id
                ? truth.hardState == HardState(term: leader.term, vote: voter)
                : votes[Ballot(voter: voter, term: leader.term)] == leader.id
        }
        guard count >= leader.configuration.majority else {
            throw Violation("node \(leader.id) leads term \(leader.term) with \(count) votes that are on disk")
        }
    }

    mutating func ordered(_ write: LogWrite, _ sights: inout Sights) throws(Violation) {
        for entry in write.entries { entries[entry.digest] = entry }
        if let reset = write.reset {
            guard reset.index <= LogIndex(committed.count), committed[Int(reset.index) - 1] == reset.digest else {
                throw Violation("a log begins anew behind entry \(reset.index), which is not what was committed")
            }
        }
        if write.truncateFrom != nil { sights.add(.truncations) }
    }

    /// At one index there is one snapshot, whoever takes it, and it is of what was committed.
    mutating func tookSnapshot(_ snapshot: SnapshotReference, at node: NodeID) throws(Violation) {
        if let other = snapshots.updateValue(snapshot, forKey: snapshot.index), other != snapshot {
            throw Violation("node \(node) took another snapshot at entry \(snapshot.index) than another node")
        }
        guard snapshot.index <= LogIndex(committed.count), committed[Int(snapshot.index) - 1] == snapshot.last.digest else {
            throw Violation("node \(node) took a snapshot at entry \(snapshot.index), which is not committed")
        }
    }

    /// What a message promises is on the sender's disk before the message is sent.
    mutating func sends(
        _ message: Message, to peer: NodeID, from engine: Engine, _ truth: DurableTruth, _ sights: inout Sights
    ) throws(Violation) {
        let node = engine.replica.id
        var promised: LogIndex?
        switch message {
        case .vote(let question):
            guard truth.hardState == HardState(term: question.term, vote: node) else {
                throw Violation("node \(node) asks for votes in term \(question.term), which is not on its disk")
            }
        case .voteReply(let reply) where reply.granted:
            guard truth.hardState == HardState(term: reply.term, vote: peer) else {
                throw Violation("node \(node) sends a vote for \(peer) in term \(reply.term) that is not on its disk")
            }
            try voted(node, for: peer, in: reply.term)
        case .appendReply(let reply):
            switch reply.result {
            case .durable(let index): promised = index
            case .conflict: sights.add(.appendConflicts)
            case .installing: break
            }
        case .snapshotOffer(let offer):
            guard snapshots[offer.snapshot.index] == offer.snapshot else {
                throw Violation("node \(node) offers a snapshot at entry \(offer.snapshot.index) that nobody took")
            }
        case .heartbeatReply(let reply): promised = reply.durable
        case .readIndex: sights.add(.followerReads)
        case .takeOver: sights.add(.handOvers)
        case .preVote, .preVoteReply, .voteReply, .append, .heartbeat, .readIndexReply: break
        }
        guard let promised else { return }
        guard promised > engine.replica.log.base.index else {
            // What is before the log's first entry is in a snapshot, which counts once the log on disk begins behind it.
            guard truth.reaches(promised) else {
                throw Violation("node \(node) acknowledges entry \(promised), and its log does not yet reach there")
            }
            return
        }
        guard let digest = engine.replica.log.digest(at: promised), truth.holds(digest, at: promised) else {
            throw Violation("node \(node) acknowledges entry \(promised), which is not on its disk")
        }
    }

    /// After a node's commit index moved: the same index holds the same history everywhere, for ever, and what is new is on
    /// the disks of a majority.
    mutating func checkCommitted(
        _ engine: Engine, from first: LogIndex, _ disks: [SimulatedNode], _ sights: inout Sights
    ) throws(Violation) {
        let replica = engine.replica
        guard first <= replica.commit else { return }
        for index in first...replica.commit {
            guard let digest = replica.log.digest(at: index) else {
                guard index <= LogIndex(committed.count) else {
                    throw Violation("node \(replica.id) has a snapshot of entry \(index), which nobody committed")
                }
                continue
            }
            if index <= LogIndex(committed.count) {
                guard committed[Int(index - 1)] == digest else {
                    throw Violation("entry \(index) was committed twice, with other content at node \(replica.id)")
                }
                continue
            }
            precondition(index == LogIndex(committed.count) + 1, "commit indexes are checked in order")
            let holders = disks.count { $0.truth.holds(digest, at: index) }
            guard holders >= replica.configuration.majority else {
                throw Violation("node \(replica.id) commits entry \(index), which is on the disks of \(holders) nodes alone")
            }
            committed.append(digest)
            guard let entry = entries[digest] else { throw Violation("entry \(index) was committed and never written") }
            try reference.apply(entry, &sights)
        }
        // Each node's own application is compared with the reference now and then; the end compares all.
        let index = engine.state.index
        if index % 32 == 0, index == reference.state.index,
            engine.state.machine.fingerprint() != reference.state.machine.fingerprint()
        {
            throw Violation("node \(replica.id) has another board than the log makes, at entry \(index)")
        }
    }

    /// A client was told that it holds these jobs.
    func claimed(_ jobs: [Job], by client: String) throws(Violation) {
        for job in jobs {
            guard let fence = job.fence, job.owner == client else {
                throw Violation("client \(client) got job \(job.id) that is not claimed for it")
            }
            // An older claim's answer may come late; a newer claim of a consumed job may not be at all.
            if let consumer = consumedBy[job.id], fence > consumer {
                throw Violation("job \(job.id) was claimed with fence \(fence) after it had been consumed")
            }
        }
    }

    /// A client was told that its consume took place.
    mutating func consumed(_ job: JobID, fence: UInt64) throws(Violation) {
        if let other = consumedBy.updateValue(fence, forKey: job) {
            throw Violation("job \(job) was consumed twice, with fences \(other) and \(fence)")
        }
    }

    /// After healing: every node has the same log and the same boards, and nothing acknowledged is missing.
    func checkEnd(_ engines: [Engine], posted: [JobID]) throws(Violation) {
        let board = reference.state.machine.fingerprint()
        for engine in engines {
            guard engine.state.index == reference.state.index else {
                throw Violation("node \(engine.replica.id) stands at \(engine.state.index), not \(reference.state.index)")
            }
            guard engine.state.machine.fingerprint() == board else {
                throw Violation("node \(engine.replica.id) has another board than the log makes")
            }
        }
        for job in posted {
            guard let state = engines[0].state.machine.job(job)?.state else {
                throw Violation("acknowledged job \(job) is missing")
            }
            if consumedBy[job] != nil, state != .complete { throw Violation("consumed job \(job) is \(state.word)") }
            guard state == .complete || state == .trashed else {
                throw Violation("acknowledged job \(job) was \(state.word) when nothing was left to claim")
            }
        }
        for engine in engines { engine.state.machine.checkInvariants() }
    }
}
