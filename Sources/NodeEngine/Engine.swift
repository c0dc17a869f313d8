package import Consensus
import DequeModule
import Jobboard
import WireFormat

/// One whole node without I/O: consensus, the boards, and everybody who waits for something.
///
/// A *turn* is one call of `step` with all inputs that have come since the last one. Decisions are taken on all of
/// them, and only then is a block sealed and a read round started: so the busier the node, the less each command costs.
package struct Engine: Sendable {
    package let settings: EngineSettings
    let opener: Opener
    package internal(set) var replica: Replica
    package internal(set) var state: AppliedState
    var routes: PeerRoutes
    var now: Moment
    var diskReport = DiskReport()
    /// Since the node started.
    var mendedSnapshots: UInt64 = 0

    // Writes on their way.
    var waiting = BatchQueue()
    /// Of the commands in `proposed`.
    var proposedBytes = 0
    /// Whether writes have a fair chance; asked of the replica once a turn.
    var acceptsWrites = false
    /// What the cluster's disks can take; asked of the replica once a turn.
    var clusterRoom = Room.ample
    var timeWatch = LogTimeWatch()
    /// Operators were told that posts are refused.
    var saidReadOnly = false
    /// The connections that are open; only looked up, never walked.
    var connections: Set<UInt64> = []
    /// Of those, the ones whose clients do not read; only looked up, never walked.
    var blocked: Set<UInt64> = []
    var presented = PresentedSessions()
    var memory = MemoryRoom()
    /// Operators were told that posts are refused for want of memory.
    var saidMemoryIsShort = false
    /// Proposed by this node and not yet applied, in log order.
    var proposed: Deque<Proposal> = []
    /// Writes that came before this leader's first entry was committed.
    var early = EarlyWrites()
    /// Claims of the next job that are proposed and not yet applied, by board, in jobs.
    var claimsUnderWay: [String: Int] = [:]
    var claimCopies = ClaimCopies()
    var heldClaims = HeldClaims()
    /// Since this node leads.
    var effectless = EffectlessAnswers()
    /// The term that this node leads; 0 while it does not.
    package private(set) var ledTerm: Term = 0
    /// Of the batches that `waiting` has begun, so many have come out of the log, or never will.
    var batchesDone: UInt64 = 0

    var reads = PendingReads()
    var digests = DigestRequests()
    /// What this turn's answers may still cost.
    var turn = TurnBudget()

    // Requests that are parked here.
    var parkedClaims = ParkedClaims()
    var parkedWaits = ParkedWaits()
    var watches = Watches()

    // Snapshots.
    /// Of log since the last snapshot mark was applied.
    var bytesSinceMark: UInt64 = 0
    /// The entry of the last mark that this node proposed.
    var proposedMark: LogIndex = 0
    var isTakingSnapshot = false
    /// The newest snapshot's size on disk.
    var snapshotBytes: UInt64 = 0
    /// This node's newest ones, in order.
    var ownSnapshots: [SnapshotReference] = []
    /// What peers said of theirs.
    var snapshotNews: [SnapshotNews] = []
    /// The snapshot that is being fetched, and its state while the replica decides on it.
    var fetch: SnapshotFetch?
    var fetchedState: AppliedState?
    /// What is fetched is a snapshot of our own, which has rotted.
    var mending: SnapshotReference?
    /// In monotonic milliseconds: no rotten one is fetched before.
    var mendsAgainAt: UInt64 = 0
    /// One of our own has rotted, and no peer has it.
    var lost: SnapshotReference?
    /// One of our own has rotted, and its name with it.
    var unnamed: UnnamedSnapshot?

    /// Blocks of the log that have rotted on this disk, to be had from peers.
    var repair: BlockRepair

    /// How often requests were refused since the node started, by the budget that they would have exceeded.
    var refusals: [Budget: UInt64] = [:]

    var outputs: [ReplicaOutput] = []
    /// The outputs of one replica step are being done.
    var isDriving = false

    /// The node goes on from what recovery found; `state` has taken in everything up to the recovered commit index.
    package init(replica: Replica, state: AppliedState, settings: EngineSettings, opener: Opener, now: Moment) {
        precondition(state.index == replica.commit, "the state stands at \(state.index), the log at \(replica.commit)")
        self.replica = replica
        self.state = state
        self.settings = settings
        self.opener = opener
        self.now = now
        repair = BlockRepair(peers: replica.peers)
        routes = PeerRoutes(peers: replica.peers, patience: 3 * settings.replica.heartbeat)
    }

    /// One turn.
    package mutating func step(_ inputs: [EngineInput], at moment: Moment, into effects: inout [EngineEffect]) {
        now = moment
        acceptsWrites = replica.acceptsWrites
        clusterRoom = replica.clusterRoom
        turn = TurnBudget(settings)
        memory.refresh(used: state.machine.accountedBytes, limit: replica.clusterMemory)
        for input in inputs { take(input, &effects) }
        removeAbandonedParked()
        expireParked(&effects)
        buildNameIndexes(&effects)
        serveParkedClaims(&effects)
        sealBatches(&effects)
        startReads(&effects)
        answerWaits(&effects)
        answerReads(&effects)
        advanceWatches(&effects)
        replica.checkInvariants()
        checkInvariants()
        #if DEBUG
            checkUnderWay()
        #endif
    }

    /// Something is due that did not fit into this turn: another one should follow at once, without waiting for an input.
    package var hasDeferredWork: Bool {
        !reads.answers.isEmpty || watches.hasBehind || parkedWaits.hasDue || parkedWaits.hasExpired(at: now.monotonic)
            || parkedClaims.hasExpired(at: now.monotonic) || hasAbandonedParked || state.machine.hasUnbuiltNames
    }

    private mutating func take(_ input: EngineInput, _ effects: inout [EngineEffect]) {
        switch input {
        case .tick: tick(&effects)
        case .connectionOpened(let connection): connections.insert(connection)
        case .request(let client, let request): take(request, from: client, &effects)
        case .connectionClosed(let connection): forget(connection)
        case .connectionBlocked(let connection): if connections.contains(connection) { blocked.insert(connection) }
        case .connectionWritable(let connection): unblock(connection)
        case .digestComputed(let index, let digest): computedDigest(index, digest, &effects)
        case .peer(let frame, let channel):
            routes.heard(frame, via: channel, now: now.monotonic)
            drive(.message(from: frame.from, frame.message), &effects)
        case .peerStreamLost(let peer): drive(.connectionLost(peer), &effects)
        case .persisted(let number): drive(.persisted(upTo: number), &effects)
        case .loaded(let peer, let entries): drive(.loaded(for: peer, entries: entries), &effects)
        case .diskReport(let report): diskReport = report
        case .transfer(let peer, let transfer): receive(transfer, from: peer, &effects)
        case .snapshotTaken(let snapshot, let bytes): tookSnapshot(snapshot, storedBytes: bytes, &effects)
        case .snapshotOpened(let snapshot, let missing, let count):
            advanceFetch(of: snapshot, &effects) { [now] in $0.opened(missing: missing, of: count, now: now.monotonic, &$1) }
        case .chunkStored(let snapshot, let number, let isRight):
            advanceFetch(of: snapshot, &effects) { [now] in $0.stored(number, isRight: isRight, now: now.monotonic, &$1) }
        case .snapshotReady(let snapshot, let fetched, let bytes):
            snapshotIsReady(snapshot, fetched, storedBytes: bytes, &effects)
        case .snapshotMended(let snapshot): mended(snapshot, &effects)
        case .snapshotRotted(let index, let snapshot): mend(index, snapshot, &effects)
        case .snapshotFailed(let snapshot): giveUpFetch(of: snapshot, nobodyHasIt: false, &effects)
        case .blocksMissing(let missing): blocksMissing(missing, &effects)
        case .blockCombined(let block, let succeeded):
            repair.ended(block, succeeded: succeeded, now: now.monotonic)
            effects.append(.notice(.blockCombined(index: block.index, succeeded: succeeded)))
        case .released(let index): drive(.released(index), &effects)
        case .room(let room): roomChanged(room, &effects)
        case .leave: drive(.leave, &effects)
        }
    }

    private mutating func take(_ request: Request, from client: ClientReference, _ effects: inout [EngineEffect]) {
        switch request {
        case .session(let local, let token, let ttl, let resumed):
            present(local, token, ttlMilliseconds: ttl, resumed: resumed, client, &effects)
        case .write(let call, _) where call.command.opensSession:
            let error = JobboardError(.invalidArgument, "a session is opened by presenting its token")
            effects.append(.reply(client, .failed(error)))
        case .write(let call, let sending):
            // Addressed to another term, it may be a late copy of what another leader has answered.
            guard AddressedTerm.isTaken(sending.term, byLeaderOf: ledTerm) else { return sendBack(client, &effects) }
            let wait = sending.waitMilliseconds
            takeWrite(
                Write(
                    client: client, call: call, deadline: now.monotonic + UInt64(wait), waits: wait > 0,
                    isRepeated: sending.isRepeated), &effects)
        case .read(let query, let fresh):
            takeRead(.query(query), client, fresh: fresh, &effects)
        case .waitForClaimable(let board, let milliseconds):
            if let refusal = refusal(ofBoard: board) { return effects.append(.reply(client, .failed(refusal))) }
            takeRead(.park(.claimable(board), deadline: now.monotonic + UInt64(milliseconds)), client, &effects)
        case .waitForEnd(let job, let milliseconds):
            takeRead(.park(.end(job), deadline: now.monotonic + UInt64(milliseconds)), client, &effects)
        case .watch(let board, let position):
            takeRead(.watch(board: board, from: position), client, &effects)
        case .cancel(let request):
            cancel(ClientReference(connection: client.connection, request: request), &effects)
        }
    }

    private mutating func tick(_ effects: inout [EngineEffect]) {
        drive(.tick, &effects)
        proposeTickWhenDue(&effects)
        proposeMarkWhenDue(&effects)
        askForBlocks(&effects)
        askForName(&effects)
        advanceFetch(&effects) { [now] in $0.tick(now: now.monotonic, &$1) }
        noticeReadOnly(&effects)
        if let ahead = timeWatch.check(replica.logTimeAhead, now: now.monotonic) {
            effects.append(.notice(.logTimeAhead(milliseconds: ahead)))
        }
        noticeMemory(&effects)
        for notice in routes.notices() { effects.append(.notice(notice)) }
    }

    /// Puts one input through the replica and does what comes out, in order.
    mutating func drive(_ input: ReplicaInput, _ effects: inout [EngineEffect]) {
        precondition(!isDriving, "one step of the replica at a time")
        isDriving = true
        outputs.removeAll(keepingCapacity: true)
        replica.step(input, at: now, into: &outputs)
        for place in outputs.indices { take(outputs[place], &effects) }
        isDriving = false
    }

    private mutating func take(_ output: ReplicaOutput, _ effects: inout [EngineEffect]) {
        switch output {
        case .persist(let write): effects.append(.persist(write))
        case .send(let peer, let message): send(message, to: peer, &effects)
        case .load(let peer, let index, let bytes): effects.append(.load(for: peer, from: index, maxBytes: bytes))
        case .committed(let index): apply(through: index, &effects)
        case .readReady(let read, let index): readIsReady(read, index, &effects)
        case .readFailed(let read): readFailed(read, &effects)
        case .leader(let leader, let term): leaderChanged(leader, term, &effects)
        case .fetchSnapshot(let snapshot, let peer): startFetch(snapshot, from: peer, &effects)
        case .install(let snapshot): install(snapshot, &effects)
        case .halt(let reason): effects.append(.halt(reason))
        }
    }

    private func send(_ message: Message, to peer: NodeID, _ effects: inout [EngineEffect]) {
        let hears = routes.hearsDatagrams(from: peer, now: now.monotonic)
        let frame = PeerFrame(from: replica.id, hearsDatagrams: hears, message: message)
        for channel in routes.channels(for: message, to: peer, now: now.monotonic) {
            effects.append(.send(to: peer, frame, via: channel))
        }
    }

    private mutating func leaderChanged(_ leader: NodeID?, _ term: Term, _ effects: inout [EngineEffect]) {
        effects.append(.notice(.leader(leader, term: term)))
        ledTerm = leader == replica.id ? term : 0
        if leader != replica.id { loseLeadership(&effects) }
    }

    /// The leader's address for clients, when it is known.
    package var leaderAddress: String? {
        replica.leader.flatMap { settings.clientAddresses[$0] }
    }
}
