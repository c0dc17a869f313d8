import DequeModule

/// One node's part in agreeing on the log: Raft (Ongaro's dissertation), as a value.
///
/// `step` takes one input and appends what should happen to `outputs`; it reads no clock, draws no luck but from its
/// seed, and does no I/O. Bad messages are ignored and counted; an impossible state halts.
///
/// Promises wait for the disk here, in the core: a vote or an acknowledgement is held together with the number of the
/// write that backs it and let go by `persisted(upTo:)`.
package struct Replica: Sendable {
    package let id: NodeID
    package let configuration: Configuration
    /// All other voters.
    package let peers: [NodeID]
    package let settings: ReplicaSettings
    let sealer: Sealer

    // What survives a crash.
    package internal(set) var hardState: HardState
    package internal(set) var log: ReplicaLog

    // What does not.
    package internal(set) var commit: LogIndex
    package internal(set) var applied: LogIndex
    package internal(set) var role: Role
    /// Who leads in this term, as far as is known.
    package internal(set) var leader: NodeID?
    var random: SplitMix64
    var now: Moment
    var clock: LogClock

    // Disk: what was ordered, what is done, what waits for it.
    var disk: DiskOrder
    /// Everything up to here equals the log of this term's leader.
    var verified: LogIndex = 0

    // Time.
    /// When a leader of this term was last heard; nil when its connection broke since.
    var leaderHeard: UInt64?
    /// When to ask for a pre-vote.
    var electionDeadline: UInt64
    /// How often this node stood without success since it last heard a leader.
    var attempts: UInt64 = 0

    // Reads that came to a follower, waiting for the leader's index.
    var followerReads: Deque<FollowerRead> = []
    var nextNonce: UInt64

    // Snapshots.
    /// The newest that this node has.
    package internal(set) var snapshot: SnapshotReference?
    /// The one that it is fetching, and how many pieces are here.
    package internal(set) var fetching: (snapshot: SnapshotReference, pieces: UInt64)?
    /// None is fetched before.
    var nextFetch: UInt64 = 0

    /// What this node's disk can still take.
    package internal(set) var room = Room.ample
    /// Its process is to end: another should lead.
    var isLeaving = false

    /// Messages that made no sense, since the start.
    package internal(set) var ignoredMessages: UInt64 = 0

    package enum Role: Sendable, Equatable {
        case follower
        /// Asking whether an election would succeed.
        case preCandidate(granted: VoterBits)
        case candidate(Candidacy)
        case leader(Leadership)
    }

    package struct VoterBits: Sendable, Equatable {
        var set = VoterSet()
    }

    /// An election that this node stands in.
    package struct Candidacy: Sendable, Equatable {
        var granted = VoterSet()
        /// Clock offsets of those who granted, in milliseconds.
        var clockOffsets: [Int64] = []
    }

    /// The node starts with what recovery found. `recovered.commit` is what the log says is committed at least.
    package init(
        id: NodeID, configuration: Configuration, settings: ReplicaSettings = ReplicaSettings(), sealer: Sealer,
        hardState: HardState = HardState(term: 0, vote: nil), log: ReplicaLog = ReplicaLog(), commit: LogIndex = 0,
        snapshot: SnapshotReference? = nil, seed: UInt64, now: Moment
    ) {
        precondition(configuration.contains(id), "node \(id) is not a voter")
        precondition(commit <= log.lastIndex, "the log ends at \(log.lastIndex), before its commit index \(commit)")
        precondition(commit >= log.base.index, "the log begins behind its commit index \(commit)")
        precondition(hardState.term >= log.lastTerm, "term \(hardState.term) is older than the log's \(log.lastTerm)")
        self.id = id
        self.configuration = configuration
        peers = configuration.voters.filter { $0 != id }
        self.settings = settings
        self.sealer = sealer
        self.hardState = hardState
        self.log = log
        self.commit = commit
        self.snapshot = snapshot
        applied = commit
        role = .follower
        random = SplitMix64(seed: seed)
        self.now = now
        clock = LogClock(openedAt: now)
        disk = DiskOrder(durableIndex: log.lastIndex)
        electionDeadline = now.monotonic
        nextNonce = random.next() >> 1
        resetElectionDeadline()
        // Alone, there is nobody to wait for.
        if configuration.voters.count == 1 { electionDeadline = now.monotonic }
    }

    package var term: Term { hardState.term }

    package var isLeader: Bool {
        if case .leader = role { return true }
        return false
    }

    /// Takes in one event and says what should follow.
    package mutating func step(_ input: ReplicaInput, at moment: Moment, into outputs: inout [ReplicaOutput]) {
        now.monotonic = max(now.monotonic, moment.monotonic)
        clock.advance(to: Moment(monotonic: now.monotonic, wall: moment.wall))
        now.wall = clock.wall
        switch input {
        case .tick: tick(&outputs)
        case .message(let from, let message): receive(message, from: from, &outputs)
        case .propose(let kind, let payload, let count): propose(kind, payload: payload, commandCount: count, &outputs)
        case .persisted(let number): persisted(upTo: number, &outputs)
        case .loaded(let peer, let entries): loaded(entries, for: peer, &outputs)
        case .connectionLost(let peer): connectionLost(to: peer, &outputs)
        case .read(let read): startRead(read, &outputs)
        case .applied(let index): applied(through: index)
        case .snapshotTaken(let taken): tookSnapshot(taken)
        case .snapshotPieces(let pieces): fetching?.pieces = pieces
        case .snapshotFetched(let fetched): install(fetched, &outputs)
        case .snapshotFetchFailed(let failed): fetchFailed(failed)
        case .released(let index): log.compact(through: min(index, applied))
        case .room(let new):
            room = new
            considerHandOver(&outputs)
        case .leave:
            isLeaving = true
            considerHandOver(&outputs)
        }
    }

    private mutating func receive(_ message: Message, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        guard from != id, configuration.contains(from) else {
            ignoredMessages += 1
            return
        }
        switch message {
        case .preVote(let question): answer(question, from: from, &outputs)
        case .preVoteReply(let reply): count(reply, from: from, &outputs)
        case .vote(let question): answer(question, from: from, &outputs)
        case .voteReply(let reply): count(reply, from: from, &outputs)
        case .append(let append): receive(append, from: from, &outputs)
        case .appendReply(let reply): receive(reply, from: from, &outputs)
        case .heartbeat(let heartbeat): receive(heartbeat, from: from, &outputs)
        case .heartbeatReply(let reply): receive(reply, from: from, &outputs)
        case .readIndex(let question): receive(question, from: from, &outputs)
        case .readIndexReply(let reply): receive(reply, from: from, &outputs)
        case .snapshotOffer(let offer): receive(offer, from: from, &outputs)
        case .takeOver(let wish): receive(wish, from: from, &outputs)
        }
    }

    private mutating func tick(_ outputs: inout [ReplicaOutput]) {
        switch role {
        case .leader:
            leaderTick(&outputs)
        case .follower, .preCandidate, .candidate:
            if now.monotonic >= electionDeadline { startPreVote(&outputs) }
            repeatFollowerReads(&outputs)
        }
    }

    private mutating func connectionLost(to peer: NodeID, _ outputs: inout [ReplicaOutput]) {
        if case .leader(var leadership) = role, let place = configuration.place(of: peer) {
            leadership.followers[place].startProbing(from: leadership.followers[place].match + 1)
            role = .leader(leadership)
        } else if leader == peer {
            leaderConnectionLost()
        }
    }

    private mutating func applied(through index: LogIndex) {
        precondition(index <= commit, "entry \(index) was applied before it was committed (\(commit))")
        applied = max(applied, index)
        log.evict(through: min(applied, disk.durableIndex), keeping: settings.cacheBytes)
    }

    /// Goes to `term`, or stays in it, as a follower of `newLeader`; a vote for a new term goes to disk with it.
    mutating func follow(_ newLeader: NodeID?, term: Term, vote: NodeID? = nil, _ outputs: inout [ReplicaOutput]) {
        precondition(term >= hardState.term, "terms never fall")
        let wasLeader = isLeader
        if case .leader(let leadership) = role { failReads(of: leadership, &outputs) }
        role = .follower
        if term > hardState.term {
            hardState = HardState(term: term, vote: vote)
            verified = 0
            persist(hardState: hardState, &outputs)
            setLeader(newLeader, &outputs)
        } else if leader != newLeader {
            precondition(newLeader == nil || leader == nil, "two leaders, \(leader!) and \(newLeader!), in term \(term)")
            setLeader(newLeader, &outputs)
        }
        if wasLeader { resetElectionDeadline() }
    }

    mutating func setLeader(_ node: NodeID?, _ outputs: inout [ReplicaOutput]) {
        leader = node
        if node == nil {
            leaderHeard = nil
        } else {
            attempts = 0
        }
        outputs.append(.leader(node, term: term))
    }

    func broadcast(_ message: Message, _ outputs: inout [ReplicaOutput]) {
        for peer in peers { outputs.append(.send(to: peer, message)) }
    }
}
