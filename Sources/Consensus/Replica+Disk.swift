import DequeModule

/// What was ordered from the disk, what is done, and the promises that wait for it.
struct DiskOrder: Sendable {
    struct Pending: Sendable {
        var number: UInt64
        /// The log reaches this far once the write is durable.
        var lastIndex: LogIndex
        var orderedAt: UInt64
    }

    struct Held: Sendable {
        var number: UInt64
        var to: NodeID
        var message: Message
    }

    /// Everything up to here is on this node's stable storage.
    private(set) var durableIndex: LogIndex
    private(set) var nextNumber: UInt64 = 1
    private(set) var pending: Deque<Pending> = []
    private(set) var held: Deque<Held> = []

    init(durableIndex: LogIndex) {
        self.durableIndex = durableIndex
    }

    var isIdle: Bool { pending.isEmpty }
    var oldestOrderedAt: UInt64? { pending.first?.orderedAt }

    mutating func order(lastIndex: LogIndex, now: UInt64) -> UInt64 {
        defer { nextNumber += 1 }
        pending.append(Pending(number: nextNumber, lastIndex: lastIndex, orderedAt: now))
        return nextNumber
    }

    /// Entries from `index` on are being cut off: no write still under way makes them durable.
    mutating func truncate(from index: LogIndex) {
        durableIndex = min(durableIndex, index - 1)
        for place in pending.indices { pending[place].lastIndex = min(pending[place].lastIndex, index - 1) }
    }

    /// Keeps a message until every write ordered so far is durable; false when nothing is under way.
    mutating func hold(_ message: Message, to peer: NodeID) -> Bool {
        guard let last = pending.last else { return false }
        held.append(Held(number: last.number, to: peer, message: message))
        return true
    }

    mutating func persisted(upTo number: UInt64) -> [Held] {
        precondition(number < nextNumber, "write \(number) was never ordered")
        while let first = pending.first, first.number <= number {
            durableIndex = max(durableIndex, first.lastIndex)
            pending.removeFirst()
        }
        var freed: [Held] = []
        while let first = held.first, first.number <= number {
            freed.append(first)
            held.removeFirst()
        }
        return freed
    }
}

extension Replica {
    /// Everything up to here is on this node's stable storage.
    package var durableIndex: LogIndex { disk.durableIndex }

    /// No write is under way.
    package var diskIsIdle: Bool { disk.isIdle }

    mutating func persist(
        hardState: HardState? = nil, truncateFrom: LogIndex? = nil, reset: EntrySummary? = nil, entries: [Entry] = [],
        _ outputs: inout [ReplicaOutput]
    ) {
        let number = disk.order(lastIndex: log.lastIndex, now: now.monotonic)
        outputs.append(
            .persist(
                LogWrite(
                    number: number, hardState: hardState, truncateFrom: truncateFrom, reset: reset, entries: entries,
                    commit: min(commit, log.lastIndex))))
    }

    /// Sends a message that promises what was ordered from the disk so far: once it is there, not before.
    mutating func sendWhenDurable(_ message: Message, to peer: NodeID, _ outputs: inout [ReplicaOutput]) {
        if !disk.hold(message, to: peer) { outputs.append(.send(to: peer, message)) }
    }

    mutating func persisted(upTo number: UInt64, _ outputs: inout [ReplicaOutput]) {
        for held in disk.persisted(upTo: number) where stillMeant(held.message) {
            outputs.append(.send(to: held.to, held.message))
        }
        switch role {
        case .follower, .preCandidate: break
        case .candidate(let candidacy): countOwnVote(candidacy, &outputs)
        case .leader: advanceCommit(&outputs)
        }
    }

    /// A promise made in a term that has passed helps nobody any more.
    private func stillMeant(_ message: Message) -> Bool {
        switch message {
        case .vote(let question): question.term == term
        case .voteReply(let reply): reply.term == term
        case .appendReply(let reply): reply.term == term
        case .preVote, .preVoteReply, .append, .heartbeat, .heartbeatReply, .readIndex, .readIndexReply,
            .snapshotOffer, .takeOver:
            true
        }
    }
}
