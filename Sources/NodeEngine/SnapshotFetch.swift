package import Consensus
import DequeModule
package import WireFormat

/// Fetching one snapshot, piece by piece, from whichever peer has it. A value: it is told what came and how late it is,
/// and says what to ask, store or give up.
package struct SnapshotFetch: Sendable {
    package enum Action: Sendable, Equatable {
        case ask(NodeID, Transfer)
        /// Make room for what this table of contents lists; `opened` answers.
        case open(table: [UInt8])
        /// `stored` answers.
        case store(number: UInt32, bytes: [UInt8])
        /// All is here: put it together.
        case finish
        /// Nobody has it.
        case giveUp
    }

    private enum Stage: Sendable {
        case askingContents(at: UInt64)
        case opening
        case chunks
        case finishing
    }

    private struct Question: Sendable {
        var number: UInt32
        var askedAt: UInt64
    }

    /// Questions under way: bulk never has more than these before live blocks on a stream.
    private static let window = 4
    /// Milliseconds after which a question is put to the next peer.
    private static let patience: UInt64 = 1000

    package let snapshot: SnapshotReference
    /// How many chunks are here.
    package private(set) var pieces: UInt64 = 0
    private var stage: Stage
    private var peers: Deque<NodeID>
    private var missing: Deque<UInt32> = []
    private var underWay: [Question] = []
    private var storing = 0
    /// Refusals since anything useful came.
    private var refusals = 0

    /// `first`: the peer to ask first.
    package init(_ snapshot: SnapshotReference, peers all: [NodeID], first: NodeID, now: UInt64, _ actions: inout [Action]) {
        self.snapshot = snapshot
        peers = Deque(all)
        while peers.contains(first), peers.first != first { peers.append(peers.removeFirst()) }
        stage = .askingContents(at: now)
        askContents(now, &actions)
    }

    private mutating func askContents(_ now: UInt64, _ actions: inout [Action]) {
        guard let peer = peers.first else { return actions.append(.giveUp) }
        stage = .askingContents(at: now)
        actions.append(.ask(peer, .askContents(snapshot)))
    }

    private mutating func nextPeer() {
        peers.append(peers.removeFirst())
    }

    package mutating func received(_ transfer: Transfer, now: UInt64, _ actions: inout [Action]) {
        switch transfer {
        case .contents(snapshot, let table):
            guard case .askingContents = stage else { return }
            stage = .opening
            actions.append(.open(table: table))
        case .chunk(snapshot, let number, let bytes):
            guard let place = underWay.firstIndex(where: { $0.number == number }) else { return }
            underWay.remove(at: place)
            refusals = 0
            storing += 1
            actions.append(.store(number: number, bytes: bytes))
            askChunks(now, &actions)
        case .noSnapshot(snapshot):
            refused(now, &actions)
        case .contents, .chunk, .noSnapshot, .askContents, .askContentsAt, .askChunk, .askBlock, .block, .noBlock,
            .askCorruptBlock, .corruptBlock, .tookSnapshot, .askStanding, .standing:
            break
        }
    }

    /// Room is made; these chunks are missing.
    package mutating func opened(missing numbers: [UInt32], of count: Int, now: UInt64, _ actions: inout [Action]) {
        guard case .opening = stage else { return }
        stage = .chunks
        missing = Deque(numbers)
        pieces = UInt64(count - numbers.count)
        askChunks(now, &actions)
    }

    /// A chunk is on disk, or was not the right one.
    package mutating func stored(_ number: UInt32, isRight: Bool, now: UInt64, _ actions: inout [Action]) {
        // A late word about an earlier fetch of the same snapshot; chunks are stored in order, so it comes before any of
        // this one. Counted, it would keep this fetch from ever being finished.
        guard storing > 0 else { return }
        storing -= 1
        if isRight {
            pieces += 1
        } else {
            missing.append(number)
            return refused(now, &actions)
        }
        askChunks(now, &actions)
    }

    /// The peer can't help, or lies: another one is asked, until all have refused twice.
    private mutating func refused(_ now: UInt64, _ actions: inout [Action]) {
        refusals += 1
        guard refusals <= 2 * peers.count else { return actions.append(.giveUp) }
        askAnother(now, &actions)
    }

    private mutating func askAnother(_ now: UInt64, _ actions: inout [Action]) {
        nextPeer()
        switch stage {
        case .askingContents: askContents(now, &actions)
        case .opening, .finishing: break
        case .chunks:
            for question in underWay { missing.append(question.number) }
            underWay.removeAll()
            askChunks(now, &actions)
        }
    }

    package mutating func tick(now: UInt64, _ actions: inout [Action]) {
        switch stage {
        case .askingContents(let askedAt) where now - askedAt > Self.patience: askAnother(now, &actions)
        case .chunks where underWay.contains { now - $0.askedAt > Self.patience }: askAnother(now, &actions)
        case .askingContents, .opening, .chunks, .finishing: break
        }
    }

    private mutating func askChunks(_ now: UInt64, _ actions: inout [Action]) {
        guard case .chunks = stage else { return }
        while underWay.count < Self.window, let number = missing.popFirst() {
            underWay.append(Question(number: number, askedAt: now))
            actions.append(.ask(peers[0], .askChunk(snapshot, number: number)))
        }
        guard underWay.isEmpty, missing.isEmpty, storing == 0 else { return }
        stage = .finishing
        actions.append(.finish)
    }
}
