package import Consensus
import EventLog
import Jobboard
import NodeEngine
package import WireFormat

/// A node whose log or snapshots are damaged, until its peers have made it whole.
///
/// It serves no clients, votes for nobody and acknowledges nothing: so what it had acknowledged can't be counted twice or
/// missed, and no rule of Raft has to know of holes. It asks all peers in turn for the blocks that are missing, by the
/// digests that their successors name, and for a snapshot where its own are damaged or where peers hold those blocks in
/// a snapshot alone; it needs no leader, so nodes that are damaged in different places heal each other. It answers their
/// questions meanwhile. Once nothing is missing, the node starts as always.
package final class NodeRepair {
    private let log: EventLog
    private let desk: SnapshotDesk
    private let peers: [NodeID]
    /// Why the node does not just start.
    package let reason: String
    /// The log begins behind an entry that no whole snapshot here reaches.
    private var lacksState: Bool
    private var blocks = BlockRepair()
    private var fetch: SnapshotFetch?
    private var nextSnapshotQuestion: UInt64 = 0
    private var snapshotTurn = 0
    /// For a wanted block, the peers that say that they never had it, and those that can't give it. Only looked up and
    /// counted.
    private var refusals: [MissingBlock: (neverHad: Set<NodeID>, all: Set<NodeID>)] = [:]
    /// The entry from which on the log was cut off last: all peers say that they never had it.
    package private(set) var cut: MissingBlock?
    /// A snapshot came that covers what is missing.
    private var isCovered = false
    private var now: UInt64 = 0

    init(_ log: EventLog, desk: SnapshotDesk, peers: [NodeID], reason: String, lacksState: Bool) {
        self.log = log
        self.desk = desk
        self.peers = peers
        self.reason = reason
        self.lacksState = lacksState
        blocks.set(log.missing?.wanted ?? [])
    }

    /// Nothing is missing any more: close this and start the node.
    package var isDone: Bool { (log.missing == nil || isCovered) && !lacksState }

    /// How many blocks are missing.
    package var missingCount: Int { log.missing?.indexes.count ?? 0 }

    package func close() { log.close() }

    /// Time has passed, in milliseconds. `send` is called for each question. Throws what the disk says.
    package func tick(now moment: UInt64, send: (NodeID, Transfer) -> Void) throws {
        now = moment
        for (peer, block) in blocks.questions(to: peers, now: now) {
            send(peer, .askBlock(index: block.index, digest: block.digest))
        }
        if fetch != nil {
            try advance(send) { [now] in $0.tick(now: now, &$1) }
        } else if needsSnapshot, now >= nextSnapshotQuestion {
            nextSnapshotQuestion = now + 500
            send(peers[snapshotTurn % peers.count], .askContents(nil))
            snapshotTurn += 1
        }
    }

    /// Some block is to be had from nobody, or there is no state to begin with.
    private var needsSnapshot: Bool {
        lacksState || refusals.values.contains { $0.all.count == peers.count }
    }

    /// A peer says or asks something. Throws what the disk says.
    package func receive(
        _ transfer: Transfer, from peer: NodeID, now moment: UInt64, send: (NodeID, Transfer) -> Void
    ) throws {
        now = moment
        switch transfer {
        case .askBlock: if let answer = try BlockDesk.answer(transfer, from: log) { send(peer, answer) }
        case .askContents, .askChunk: if let answer = desk.answer(transfer) { send(peer, answer) }
        case .block(_, _, let bytes): try take(bytes, send)
        case .noBlock(let index, let digest, let neverHad):
            try refused(MissingBlock(index: index, digest: digest), by: peer, neverHad: neverHad)
        case .contents(let snapshot, let table) where fetch == nil: try startFetch(snapshot, table, from: peer, send)
        case .contents, .chunk, .noSnapshot: try advance(send) { [now] in $0.received(transfer, now: now, &$1) }
        case .tookSnapshot: break
        }
    }

    private func take(_ bytes: [UInt8], _ send: (NodeID, Transfer) -> Void) throws {
        guard try BlockDesk.take(bytes, into: log) else { return }
        refusals = [:]
        blocks.set(log.missing?.wanted ?? [])
        try tick(now: now, send: send)
    }

    /// An entry that no peer ever had was never committed, nor anything behind it. All must say so: one that has it may be a
    /// leader that counts our acknowledgement, and that gets a majority later.
    private func refused(_ block: MissingBlock, by peer: NodeID, neverHad: Bool) throws {
        guard let missing = log.missing, missing.wanted.contains(block), peers.contains(peer) else { return }
        var known = refusals[block] ?? ([], [])
        known.all.insert(peer)
        if neverHad { known.neverHad.insert(peer) }
        refusals[block] = known
        guard known.neverHad.count == peers.count else { return }
        // The log must end with an entry that is there, and that belongs to it for certain.
        let end = block.index - 1
        guard end == missing.base.index || (end >= missing.certainFrom && !missing.isMissing(end)) else { return }
        cut = block
        try log.append([LogWrite(number: 0, hardState: nil, truncateFrom: block.index, entries: [], commit: 0)])
        refusals = [:]
        blocks.set(log.missing?.wanted ?? [])
    }

    // MARK: Snapshots

    private func startFetch(
        _ snapshot: SnapshotReference, _ table: [UInt8], from peer: NodeID, _ send: (NodeID, Transfer) -> Void
    ) throws {
        guard needsSnapshot, helps(snapshot) else { return }
        var actions: [SnapshotFetch.Action] = []
        // Its first question is for the table, which is here already.
        fetch = SnapshotFetch(snapshot, peers: peers, first: peer, now: now, &actions)
        try advance(send) { [now] in $0.received(.contents(snapshot, table: table), now: now, &$1) }
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
            guard case .snapshotOpened(_, let missing, let count)? = try? desk.open(snapshot, table: table) else {
                return fetch = nil
            }
            try advance(send) { [now] in $0.opened(missing: missing, of: count, now: now, &$1) }
        case .store(let number, let bytes):
            guard case .chunkStored(_, _, let isRight) = try desk.put(snapshot, number: number, bytes) else { return }
            try advance(send) { [now] in $0.stored(number, isRight: isRight, now: now, &$1) }
        case .finish:
            fetch = nil
            _ = try desk.finish(snapshot)
            try fetched(snapshot)
        case .giveUp: fetch = nil
        }
    }

    /// The snapshot is durable here. Where it reaches beyond the log, the log begins anew behind it: all that this node
    /// ever acknowledged is in it, or was not committed.
    private func fetched(_ snapshot: SnapshotReference) throws {
        lacksState = false
        if snapshot.index > log.lastIndex {
            try log.append([
                LogWrite(
                    number: 0, hardState: nil, truncateFrom: nil, reset: snapshot.last, entries: [], commit: snapshot.index)
            ])
        } else {
            isCovered = log.missing.map { ($0.indexes.last ?? 0) <= snapshot.index } ?? true
        }
        blocks.set(isCovered ? [] : log.missing?.wanted ?? [])
        refusals = [:]
    }
}
