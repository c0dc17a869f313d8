import Consensus
import DequeModule
import Jobboard
import WireFormat

/// A snapshot that peers say they took, to be compared with our own.
struct SnapshotNews: Sendable {
    var node: NodeID
    var snapshot: SnapshotReference
}

/// When snapshots are taken and fetched, and what the log may then forget.
///
/// A leader whose log has grown enough since the last mark logs a mark; every node takes a snapshot where it applies that
/// mark, so all have the same bytes at the same index, and say so to each other. Two snapshots are kept, and the log from
/// the older one on: what a rotten newer one costs is a replay, and a follower that lags a little finds what it needs.
extension Engine {
    /// Bytes of log after which a new snapshot is worth it.
    ///
    /// Snapshots are what lets the log be shortened, so where room is short they come sooner.
    private var bytesBetweenMarks: UInt64 {
        clusterRoom.isShort ? max(1, settings.snapshotBytes / 64) : max(settings.snapshotBytes, snapshotBytes)
    }

    /// A leader asks for a snapshot of all nodes when the log has grown, or when what it would offer to a node that is behind
    /// is lost: a board that nobody uses never gets another mark, and that node would wait for ever.
    mutating func proposeMarkWhenDue(_ effects: inout [EngineEffect]) {
        let newestIsLost = lost != nil && lost == replica.snapshot
        guard newestIsLost || bytesSinceMark >= bytesBetweenMarks, replica.termIsOpen, acceptsWrites, !replica.isHandingOver,
            !isTakingSnapshot, proposedMark <= state.index
        else { return }
        proposedMark = replica.log.lastIndex + 1
        // Once: where no snapshot can be written, the next question or round of the scrubber says it again.
        lost = nil
        drive(.propose(kind: .snapshotMark, payload: [], commandCount: 0), &effects)
    }

    /// An entry was taken in.
    mutating func countForSnapshots(_ entry: Entry, _ effects: inout [EngineEffect]) {
        bytesSinceMark += UInt64(entry.block.count)
        guard entry.kind == .snapshotMark else { return }
        bytesSinceMark = 0
        guard !isTakingSnapshot else { return }
        isTakingSnapshot = true
        effects.append(.takeSnapshot(state, upTo: entry.summary))
    }

    /// Our own snapshot is on disk; nil when it could not be written.
    mutating func tookSnapshot(_ taken: SnapshotReference?, storedBytes: UInt64, _ effects: inout [EngineEffect]) {
        isTakingSnapshot = false
        guard let taken else { return }
        drive(.snapshotTaken(taken), &effects)
        keep(taken, storedBytes: storedBytes, &effects)
        for peer in replica.peers {
            effects.append(.transfer(to: peer, .tookSnapshot(taken)))
        }
    }

    /// Two snapshots stay, and the log behind the older one. That one must lie within what is on our own disk: entries are
    /// applied when a majority has them, and a node that stopped before it has them too would find a log that ends before
    /// all of its snapshots.
    private mutating func keep(_ snapshot: SnapshotReference, storedBytes: UInt64, _ effects: inout [EngineEffect]) {
        snapshotBytes = storedBytes
        let before = ownSnapshots.last { $0.index <= replica.durableIndex }
        ownSnapshots.append(snapshot)
        if ownSnapshots.count > Self.remembered { ownSnapshots.removeFirst() }
        if let before { effects.append(.release(through: before.index)) }
        compareSnapshots(&effects)
        if let before, let rotten = unnamed, rotten.index < before.index { unnamed = nil }
    }

    // MARK: Parting of ways

    private static var remembered: Int { 8 }

    private mutating func heardOf(_ snapshot: SnapshotReference, from node: NodeID, _ effects: inout [EngineEffect]) {
        snapshotNews.append(SnapshotNews(node: node, snapshot: snapshot))
        if snapshotNews.count > Self.remembered * replica.configuration.voters.count { snapshotNews.removeFirst() }
        compareSnapshots(&effects)
    }

    /// Nodes that took in the same log and hold something else have parted: by a bug, or by memory or a processor that
    /// fails. Where a majority agrees on another state than ours, this node is the one that is wrong, and stops.
    private func compareSnapshots(_ effects: inout [EngineEffect]) {
        for own in ownSnapshots {
            let others = snapshotNews.filter { $0.snapshot.index == own.index && $0.snapshot != own }
            guard let other = others.first else { continue }
            let alike = Set(others.filter { $0.snapshot == other.snapshot }.map(\.node)).count
            guard alike >= replica.configuration.majority else {
                effects.append(.notice(.snapshotsDiffer(other.node, index: own.index)))
                continue
            }
            effects.append(
                .halt(
                    "a majority has another state at entry \(own.index) than this node: its snapshot is \(own.digest), theirs "
                        + "\(other.snapshot.digest)"))
        }
    }

    // MARK: Fetching

    mutating func startFetch(_ snapshot: SnapshotReference, from peer: NodeID, _ effects: inout [EngineEffect]) {
        var actions: [SnapshotFetch.Action] = []
        mending = nil
        fetch = SnapshotFetch(snapshot, peers: replica.peers, first: peer, now: now.monotonic, &actions)
        effects.append(.notice(.fetchesSnapshot(index: snapshot.index, from: peer)))
        perform(actions, &effects)
    }

    /// Something of the fetch happened: `change` takes it in.
    mutating func advanceFetch(
        of snapshot: SnapshotReference? = nil, _ effects: inout [EngineEffect],
        _ change: (inout SnapshotFetch, inout [SnapshotFetch.Action]) -> Void
    ) {
        guard var current = fetch, snapshot == nil || current.snapshot == snapshot else { return }
        var actions: [SnapshotFetch.Action] = []
        let before = current.pieces
        change(&current, &actions)
        fetch = current
        if current.pieces != before, mending != current.snapshot { drive(.snapshotPieces(current.pieces), &effects) }
        perform(actions, &effects)
    }

    mutating func perform(_ actions: [SnapshotFetch.Action], _ effects: inout [EngineEffect]) {
        for action in actions {
            guard let fetch else { return }
            switch action {
            case .ask(let peer, let question): effects.append(.transfer(to: peer, question))
            case .open(let table): effects.append(.openSnapshot(fetch.snapshot, table: table))
            case .store(let number, let bytes): effects.append(.storeChunk(fetch.snapshot, number: number, bytes))
            case .finish: effects.append(.finishSnapshot(fetch.snapshot, readingState: mending != fetch.snapshot))
            case .giveUp: giveUpFetch(of: fetch.snapshot, nobodyHasIt: true, &effects)
            }
        }
    }

    mutating func giveUpFetch(of snapshot: SnapshotReference, nobodyHasIt: Bool, _ effects: inout [EngineEffect]) {
        guard fetch?.snapshot == snapshot else { return }
        fetch = nil
        guard mending != snapshot else { return mendingFailed(isLost: nobodyHasIt, &effects) }
        drive(.snapshotFetchFailed(snapshot), &effects)
    }

    /// A fetched snapshot is on disk, and its state was read from it.
    mutating func snapshotIsReady(
        _ snapshot: SnapshotReference, _ fetched: AppliedState, storedBytes: UInt64, _ effects: inout [EngineEffect]
    ) {
        guard fetch?.snapshot == snapshot else { return }
        fetch = nil
        fetchedState = fetched
        drive(.snapshotFetched(snapshot), &effects)
        guard fetchedState == nil else { return fetchedState = nil }
        keep(snapshot, storedBytes: storedBytes, &effects)
    }

    /// The replica goes on from the snapshot: so do the boards, and everybody who waits for something of them.
    mutating func install(_ snapshot: SnapshotReference, _ effects: inout [EngineEffect]) {
        guard let fetched = fetchedState, fetched.index == snapshot.index else {
            return effects.append(
                .halt("the snapshot up to entry \(snapshot.index) holds the state at \(fetchedState?.index ?? 0)"))
        }
        precondition(proposed.isEmpty, "a leader holds all that is committed")
        let next = state.history.nextPosition
        state = fetched
        fetchedState = nil
        bytesSinceMark = 0
        effects.append(.notice(.installedSnapshot(index: snapshot.index)))
        // Where events that a watch missed are no longer kept, it ends with `compacted`.
        watches.allFallBehind(at: next)
        parkedWaits.wakeAll()
        answerReadsBehind(&effects)
    }

    // MARK: Transfers

    mutating func receive(_ transfer: Transfer, from peer: NodeID, _ effects: inout [EngineEffect]) {
        guard peer != replica.id, replica.configuration.contains(peer) else { return }
        switch transfer {
        case .askContents, .askContentsAt, .askChunk, .askBlock, .askCorruptBlock:
            effects.append(.answer(to: peer, transfer))
        case .contents(let snapshot, _) where fetch == nil: heardName(snapshot, from: peer, &effects)
        case .noSnapshot(nil) where fetch == nil: heardName(nil, from: peer, &effects)
        case .contents, .chunk, .noSnapshot:
            advanceFetch(&effects) { [now] in $0.received(transfer, now: now.monotonic, &$1) }
        case .tookSnapshot(let snapshot): heardOf(snapshot, from: peer, &effects)
        case .block(_, _, let bytes): if repair.isWanting { effects.append(.repair(block: bytes)) }
        case .askStanding(let life):
            let standing = Transfer.standing(life: life, term: replica.term, last: replica.log.last)
            effects.append(.transfer(to: peer, standing))
        case .noBlock(let index, let digest, let neverHad):
            repair.refused(MissingBlock(index: index, digest: digest), by: peer, neverHad: neverHad, now: now.monotonic)
        case .corruptBlock(let index, let digest, let copy):
            receive(copy, of: MissingBlock(index: index, digest: digest), from: peer, &effects)
        case .standing: break
        }
    }
}
