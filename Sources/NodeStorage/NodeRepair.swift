package import Consensus
package import EventLog
import Jobboard
import NodeEngine
package import WireFormat

/// A node whose log or snapshots are damaged, until its peers have made it whole; or whose log is empty, until they have said
/// what that means (`EmptyLog`).
///
/// It tells clients how it stands and no more, votes for nobody and acknowledges nothing: so what it had acknowledged can't
/// be counted twice or missed, and no rule of Raft has to know of holes. It asks all peers in turn for the blocks that are
/// missing, by the digests that their successors name, and for a snapshot where its own are damaged or peers hold those in
/// a snapshot alone; it needs no leader, so nodes that are damaged in different places heal each other. Where even the names of
/// what is missing are lost, or its votes, or where what is missing is to be had from nobody, it asks all of them how they
/// stand (`PeerStandings`). It answers their questions meanwhile. Once nothing is missing, the node starts as always.
package final class NodeRepair {
    private let log: EventLog
    private let desk: SnapshotDesk
    private let peers: [NodeID]
    /// Why the node does not just start.
    package private(set) var reason: String
    /// The log begins behind an entry that no whole snapshot here reaches.
    private var lacksState: Bool
    private var blocks: BlockRepair
    /// To be run off the event loop; see `takeCombination`.
    private var combination: BlockCombination?
    private let candidates: Int
    private var fetch: SnapshotFetch?
    private var nextSnapshotQuestion: UInt64 = 0
    private var snapshotTurn = 0
    /// Peers whose snapshots are of no help as things are.
    private var helpless: Set<NodeID> = []
    private var standings: PeerStandings
    /// A vote may have been given that is no longer known.
    package private(set) var isVoteLost: Bool
    /// Its log is empty, and nobody has said yet what that means.
    package private(set) var isUnexplained: Bool
    /// Where the log ends, as the others have told; it is being written.
    package private(set) var learning: EntrySummary?
    /// The same when it is durable: the log has to be opened anew.
    package private(set) var learned: EntrySummary?
    /// No peer has a snapshot for what the log begins behind, so it begins with the first entry now: the log has to be opened anew.
    private var reachesBack = false
    /// A snapshot that came.
    private var covering: SnapshotReference?
    private var mended = (blocks: 0, snapshots: 0)
    /// What came last found no room on the disk.
    package private(set) var lacksRoom = false
    /// What the disk said when descriptors or memory were short for what came last.
    package private(set) var scarcity: String?
    private var now: UInt64 = 0

    /// So many entries more are fetched as a snapshot, where there is one, rather than block by block.
    private static let few: LogIndex = 1000
    /// By how many terms a node goes beyond all that are known: more than it can have asked for votes in while nobody heard
    /// the question, though a majority had just said that it may (pre-vote). By chance, since nobody may have heard of an
    /// earlier leap of this kind either.
    private let leap: Term

    init(
        _ log: EventLog, desk: SnapshotDesk, peers: [NodeID], reason: String, lacksState: Bool, isUnexplained: Bool,
        candidates: Int, seed: UInt64
    ) {
        var random = SplitMix64(seed: seed)
        leap = 1000 + random.below(1 << 32)
        self.log = log
        self.desk = desk
        self.peers = peers
        self.reason = reason
        self.lacksState = lacksState
        self.isUnexplained = isUnexplained
        blocks = BlockRepair(peers: peers)
        self.candidates = candidates
        // Not the number of the opening: that of an emptied folder begins anew.
        standings = PeerStandings(of: peers, life: UInt32(truncatingIfNeeded: random.next()))
        // No entry of a term is written before the term itself.
        isVoteLost = log.isHardStateLost || log.hardState.term < log.last.term
        listMissing()
    }

    /// Nothing is missing any more, or more is known of what is: close this and open the folder again.
    package var isDone: Bool {
        guard !isUnexplained else { return isBeginning }
        return learned != nil || reachesBack || ((log.missing == nil || isCovered) && !lacksState && !isLost)
    }

    /// Nothing has happened at any other node either: the empty log is that of a cluster that begins.
    package var isBeginning: Bool { isUnexplained && standings.hasHistory == false }

    /// What has come of it once it is done, for people to read.
    package var outcome: String {
        if isBeginning { return "nothing has happened at any node: the cluster begins" }
        if learned != nil { return "the others have said where this log ends" }
        if reachesBack { return "no node has a snapshot for the log's beginning: fetching all of the log" }
        return "nothing is missing any more; starting"
    }

    /// What was acknowledged is not even known by name.
    private var isLost: Bool { log.isEndLost || isVoteLost }

    /// All that is missing is in a snapshot that is here now, and that the log goes on from.
    private var isCovered: Bool {
        guard let covering, let missing = log.missing, let last = missing.indexes.last else { return false }
        return last <= covering.index && missing.summary(at: covering.index) == covering.last
    }

    private func listMissing() {
        blocks.set(isLost || isCovered ? [] : log.missing?.wanted ?? [])
        blocks.forgetRefusals()
        helpless = []
    }

    /// How many blocks are missing.
    package var missingCount: Int { log.missing?.indexes.count ?? 0 }

    /// How many of those that were asked for no peer could give, by itself.
    package var unobtainableCount: Int { blocks.refusals.refusedByAll }

    /// Whose word it waits for, each of them.
    package var silent: [NodeID] { isLost || isUnexplained ? standings.awaited : [] }

    /// How far it is, for people to read.
    package var status: RepairStatus {
        var status = RepairStatus()
        status.missingBlocks = UInt64(missingCount)
        status.unobtainableBlocks = UInt64(unobtainableCount)
        status.mendedBlocks = UInt64(mended.blocks)
        status.mendedSnapshots = UInt64(mended.snapshots)
        status.waitsFor = silent.map(\.rawValue)
        status.reason = reason
        return status
    }

    /// What the disk can still take.
    package var room: Room { lacksRoom ? .none : log.room }

    package func close() { log.close() }

    /// Time has passed, in milliseconds. `send` is called for each question. Throws what the disk says.
    package func tick(now moment: UInt64, send: (NodeID, Transfer) -> Void) throws {
        now = moment
        try waitingForRoom { try ask(send) }
    }

    /// On a full disk the repair waits, and while descriptors or memory are short; what failed for that is asked for again.
    private func waitingForRoom(_ work: () throws -> Void) throws {
        do {
            try work()
            scarcity = nil
        } catch let error as EventLogError where log.onlyLacksRoom(error) || error.code == .transient {
            if error.code == .transient { scarcity = error.description } else { lacksRoom = true }
            fetch = nil
            learning = nil
            // What is here of the snapshot is read again then, all of it.
            nextSnapshotQuestion = now + 2000
        }
    }

    private func ask(_ send: (NodeID, Transfer) -> Void) throws {
        perform(blocks.tick(now: now), send)
        if isLost || isUnexplained || isUnobtainable { standings.tick(now: now, send: send) }
        if fetch != nil {
            try advance(send) { [now] in $0.tick(now: now, &$1) }
        } else if needsSnapshot, now >= nextSnapshotQuestion {
            nextSnapshotQuestion = now + 500
            send(peers[snapshotTurn % peers.count], .askContents(nil))
            snapshotTurn += 1
        }
    }

    /// Some block is to be had from nobody, or there is no state to begin with, or much is missing.
    private var needsSnapshot: Bool {
        if isLost { return isFarBehind }
        return lacksState || blocks.refusals.areForSnapshot(now: now)
    }

    private var isFarBehind: Bool { standings.verdict.map { $0.last.index > log.lastIndex + Self.few } ?? false }

    /// Some block is to be had neither by itself nor in a snapshot.
    private var isUnobtainable: Bool {
        blocks.refusals.neverHadByAll > 0 || (blocks.refusals.refusedByAll > 0 && helpless.count == peers.count)
    }

    /// A peer says or asks something. Throws what the disk says.
    package func receive(
        _ transfer: Transfer, from peer: NodeID, now moment: UInt64, send: (NodeID, Transfer) -> Void
    ) throws {
        now = moment
        try waitingForRoom { try hear(transfer, from: peer, send) }
    }

    private func hear(_ transfer: Transfer, from peer: NodeID, _ send: (NodeID, Transfer) -> Void) throws {
        switch transfer {
        case .askBlock, .askCorruptBlock: if let answer = try BlockDesk.answer(transfer, from: log) { send(peer, answer) }
        case .askContents, .askContentsAt, .askChunk: if let (answer, _) = desk.answer(transfer) { send(peer, answer) }
        case .block(_, _, let bytes): if try take(bytes) == .taken { try ask(send) }
        case .noBlock(let index, let digest, let neverHad):
            blocks.refused(MissingBlock(index: index, digest: digest), by: peer, neverHad: neverHad, now: now)
            try learnIfNeeded()
        case .corruptBlock(let index, let digest, let copy):
            let block = MissingBlock(index: index, digest: digest)
            perform(blocks.received(copy, of: block, from: peer, now: now), send)
        case .contents(let snapshot, let table) where fetch == nil: try startFetch(snapshot, table, from: peer, send)
        case .noSnapshot(nil) where fetch == nil:
            try cannotHelp(peer)
        case .contents, .chunk, .noSnapshot: try advance(send) { [now] in $0.received(transfer, now: now, &$1) }
        case .askStanding(let life):
            // Who does not know it says so.
            // One who has fetched a snapshot already knows that something has happened.
            let term = max(log.hardState.term, log.last.index > 0 ? 1 : 0)
            send(peer, .standing(life: life, term: term, last: isLost || isUnexplained ? nil : log.last))
        case .standing(let life, let term, let last):
            standings.answered(peer, life: life, term: term, last: last)
            try explain()
            try learnIfNeeded()
        case .tookSnapshot: break
        }
    }

    private func take(_ bytes: [UInt8]) throws -> BlockDesk.Taking {
        let taking = try BlockDesk.take(bytes, into: log)
        switch taking {
        case .notWanted: break
        case .lacksRoom: lacksRoom = true
        case .taken:
            lacksRoom = false
            mended.blocks += 1
            listMissing()
        }
        return taking
    }

    // MARK: Blocks that no node has whole

    private func perform(_ actions: [BlockRepair.Action], _ send: (NodeID, Transfer) -> Void) {
        for action in actions {
            switch action {
            case .ask(let peer, let question): send(peer, question)
            case .combine(let block, let copies):
                combination = BlockDesk.combination(of: block, copies, with: log, candidates: candidates)
            }
        }
    }

    /// Work that is to be done off the event loop, if there is any now; its result goes to `combined`.
    package func takeCombination() -> BlockCombination? {
        defer { combination = nil }
        return combination
    }

    /// What came of combining the corrupt copies of a block; nil when they were not enough. Throws what the disk says.
    package func combined(
        _ block: MissingBlock, _ bytes: [UInt8]?, now moment: UInt64, send: (NodeID, Transfer) -> Void
    ) throws {
        now = moment
        guard let bytes else { return blocks.ended(block, succeeded: false, now: now) }
        let taking = try take(bytes)
        // Only once it is stored: else nobody would wait for room before it is made again.
        blocks.ended(block, succeeded: taking != .lacksRoom, lacksRoom: taking == .lacksRoom, now: now)
        try waitingForRoom { try ask(send) }
    }

    /// Something has happened in the cluster while this log is empty: the node has missed it or lost it.
    private func explain() throws {
        guard isUnexplained, standings.hasHistory == true else { return }
        try log.lose()
        isUnexplained = false
        isVoteLost = true
        reason = "its log is empty, and the cluster's is not: whatever it had acknowledged is lost here"
        listMissing()
    }

    // MARK: Where the log ends

    /// Once all others have said how they stand, the log ends where the most up-to-date one of theirs does. What that one
    /// lacks was never committed, and never will be.
    private func learnIfNeeded() throws {
        guard learned == nil, fetch == nil, isLost || isUnobtainable, let verdict = standings.verdict else { return }
        let last = verdict.last
        // What this log begins behind was committed; whoever lacks that will get it first.
        guard last.index >= log.base.index, isLost || last.digest != log.last.digest else { return }
        if isLost, isFarBehind, helpless.count < peers.count { return }
        learning = last
        try log.learn(end: last, hardState: hardState(in: verdict))
        learned = last
    }

    /// One in which this node can't have voted for another than it says.
    private func hardState(in verdict: (term: Term, last: EntrySummary)) -> HardState {
        let known = log.hardState
        guard isVoteLost else { return known.term >= verdict.last.term ? known : HardState(term: verdict.last.term, vote: nil) }
        return PeerStandings.hardState(known: known.term, told: verdict.term, leap: leap)
    }

    // MARK: Snapshots

    private func startFetch(
        _ snapshot: SnapshotReference, _ table: [UInt8], from peer: NodeID, _ send: (NodeID, Transfer) -> Void
    ) throws {
        guard needsSnapshot else { return }
        guard helps(snapshot) else { return try cannotHelp(peer) }
        var actions: [SnapshotFetch.Action] = []
        // Its first question is for the table, which is here already.
        fetch = SnapshotFetch(snapshot, peers: peers, first: peer, now: now, &actions)
        try advance(send) { [now] in $0.received(.contents(snapshot, table: table), now: now, &$1) }
    }

    /// The peer has no snapshot, or none that is of use. Where that goes for all of them, peers should have the blocks that a
    /// snapshot would stand for still, since logs are shortened behind snapshots alone; if they don't, there will be one.
    private func cannotHelp(_ peer: NodeID) throws {
        helpless.insert(peer)
        try learnIfNeeded()
        guard lacksState, log.missing == nil, !isLost, !isDone, helpless.count == peers.count else { return }
        reachesBack = try log.reachBack()
    }

    /// It holds everything that is missing before it, and is of the same history.
    private func helps(_ snapshot: SnapshotReference) -> Bool {
        if snapshot.index > log.lastIndex { return true }
        guard snapshot.index >= log.base.index, log.holds(snapshot.last) else { return false }
        guard let missing = log.missing else { return true }
        // What stands at that index is certain when the chain from the end leads there.
        return snapshot.index + 1 >= missing.certainFrom
    }

    private func advance(
        _ send: (NodeID, Transfer) -> Void, _ change: (inout SnapshotFetch, inout [SnapshotFetch.Action]) -> Void
    ) throws {
        guard var current = fetch else { return }
        var actions: [SnapshotFetch.Action] = []
        change(&current, &actions)
        fetch = current
        for action in actions { try perform(action, send) }
    }

    private func perform(_ action: SnapshotFetch.Action, _ send: (NodeID, Transfer) -> Void) throws {
        guard let snapshot = fetch?.snapshot else { return }
        switch action {
        case .ask(let peer, let question): send(peer, question)
        case .open(let table):
            guard case .snapshotOpened(_, let missing, let count)? = try opened(snapshot, table) else { return fetch = nil }
            try advance(send) { [now] in $0.opened(missing: missing, of: count, now: now, &$1) }
        case .store(let number, let bytes):
            guard case .chunkStored(_, _, let isRight) = try desk.put(snapshot, number: number, bytes) else { return }
            lacksRoom = false
            try advance(send) { [now] in $0.stored(number, isRight: isRight, now: now, &$1) }
        case .finish:
            fetch = nil
            _ = try desk.finish(snapshot, readingState: false)
            try fetched(snapshot)
        case .giveUp: fetch = nil
        }
    }

    /// Nil when a snapshot can't be fetched by this table.
    private func opened(_ snapshot: SnapshotReference, _ table: [UInt8]) throws(EventLogError) -> EngineInput? {
        do {
            return try desk.open(snapshot, table: table)
        } catch {
            guard error.code == .noSpace || error.code == .transient else { return nil }
            throw error
        }
    }

    /// The snapshot is durable here. Where it reaches beyond the log, the log begins anew behind it: all that this node
    /// ever acknowledged is in it, or was not committed.
    private func fetched(_ snapshot: SnapshotReference) throws {
        if snapshot.index > log.lastIndex {
            // This node has not voted in the snapshot's term, since it never heard of it; unless that is what it can't know.
            let isNewTerm = snapshot.last.term > log.hardState.term && !isVoteLost
            let hardState = isNewTerm ? HardState(term: snapshot.last.term, vote: nil) : nil
            try log.append([
                LogWrite(
                    number: 0, hardState: hardState, truncateFrom: nil, reset: snapshot.last, entries: [], commit: snapshot.index)
            ])
        }
        lacksState = false
        covering = snapshot
        lacksRoom = false
        mended.snapshots += 1
        listMissing()
    }
}
