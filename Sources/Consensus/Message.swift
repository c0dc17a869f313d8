/// Everything that nodes say to one another. Each carries its sender's term.
package enum Message: Sendable, Equatable {
    case preVote(PreVote)
    case preVoteReply(PreVoteReply)
    case vote(Vote)
    case voteReply(VoteReply)
    case append(Append)
    case appendReply(AppendReply)
    case heartbeat(Heartbeat)
    case heartbeatReply(HeartbeatReply)
    case readIndex(ReadIndex)
    case readIndexReply(ReadIndexReply)
    case snapshotOffer(SnapshotOffer)
    case takeOver(TakeOver)
}

/// "Would you vote for me in `term`?" Changes nothing at the receiver (dissertation, section 9.6).
package struct PreVote: Sendable, Equatable {
    /// The term it would stand in: one more than its own.
    package var term: Term
    package var lastIndex: LogIndex
    package var lastTerm: Term

    package init(term: Term, lastIndex: LogIndex, lastTerm: Term) {
        self.term = term
        self.lastIndex = lastIndex
        self.lastTerm = lastTerm
    }
}

package struct PreVoteReply: Sendable, Equatable {
    /// The replier's own term.
    package var term: Term
    /// The term that was asked about.
    package var askedTerm: Term
    package var granted: Bool

    package init(term: Term, askedTerm: Term, granted: Bool) {
        self.term = term
        self.askedTerm = askedTerm
        self.granted = granted
    }
}

/// RequestVote (Raft paper, figure 2).
package struct Vote: Sendable, Equatable {
    package var term: Term
    package var lastIndex: LogIndex
    package var lastTerm: Term
    /// The leader asked for this election: who hears it may answer all the same (dissertation, section 4.2.3).
    package var isHandOver: Bool

    package init(term: Term, lastIndex: LogIndex, lastTerm: Term, isHandOver: Bool = false) {
        self.term = term
        self.lastIndex = lastIndex
        self.lastTerm = lastTerm
        self.isHandOver = isHandOver
    }
}

/// "Lead in my place." TimeoutNow (dissertation, section 3.10).
package struct TakeOver: Sendable, Equatable {
    package var term: Term
    /// The leader's last entry, which the receiver has.
    package var lastIndex: LogIndex

    package init(term: Term, lastIndex: LogIndex) {
        self.term = term
        self.lastIndex = lastIndex
    }
}

/// Sent only when the vote is durable.
package struct VoteReply: Sendable, Equatable {
    package var term: Term
    package var granted: Bool
    /// What the replier's wall clock showed.
    package var wall: UInt64

    package init(term: Term, granted: Bool, wall: UInt64) {
        self.term = term
        self.granted = granted
        self.wall = wall
    }
}

/// AppendEntries with at least one entry, or a probe with none (Raft paper, figure 2).
package struct Append: Sendable, Equatable {
    package var term: Term
    package var previousIndex: LogIndex
    package var previousTerm: Term
    package var previousDigest: Digest
    package var commit: LogIndex
    package var entries: [Entry]

    package init(
        term: Term, previousIndex: LogIndex, previousTerm: Term, previousDigest: Digest, commit: LogIndex, entries: [Entry]
    ) {
        self.term = term
        self.previousIndex = previousIndex
        self.previousTerm = previousTerm
        self.previousDigest = previousDigest
        self.commit = commit
        self.entries = entries
    }
}

/// "What you lack is no longer in my log: take this snapshot." In place of an append; InstallSnapshot without the bytes
/// (Raft paper, section 7), which the follower fetches piece by piece from whoever has them.
package struct SnapshotOffer: Sendable, Equatable {
    package var term: Term
    package var snapshot: SnapshotReference

    package init(term: Term, snapshot: SnapshotReference) {
        self.term = term
        self.snapshot = snapshot
    }
}

package struct AppendReply: Sendable, Equatable {
    package enum Result: Sendable, Equatable {
        /// Everything up to here equals the leader's log and is on this node's disk.
        case durable(LogIndex)
        /// The entry before the ones sent is missing or another; the leader should try before the first entry of
        /// `hintTerm`, or from `hintIndex` when it has none of that term (dissertation, section 3.5, last paragraphs).
        case conflict(at: LogIndex, hintIndex: LogIndex, hintTerm: Term)
        /// It is fetching the snapshot that it was offered and has so many pieces of it: alive, and of use later.
        case installing(pieces: UInt64)
    }

    package var term: Term
    package var result: Result

    package init(term: Term, result: Result) {
        self.term = term
        self.result = result
    }
}

/// "I lead." Carries no entries; also the question of a read round (dissertation, section 6.4).
package struct Heartbeat: Sendable, Equatable {
    package var term: Term
    /// A number that the leader never uses twice in a term.
    package var round: UInt64
    package var commit: LogIndex
    /// How long the leader's oldest write has been waiting for its disk, in milliseconds.
    package var oldestWriteAge: UInt32

    package init(term: Term, round: UInt64, commit: LogIndex, oldestWriteAge: UInt32) {
        self.term = term
        self.round = round
        self.commit = commit
        self.oldestWriteAge = oldestWriteAge
    }
}

package struct HeartbeatReply: Sendable, Equatable {
    package var term: Term
    /// The highest round heard from this leader in this term.
    package var round: UInt64
    /// Everything up to here equals the leader's log and is on this node's disk.
    package var durable: LogIndex
    /// What the replier's wall clock showed.
    package var wall: UInt64
    /// What the replier's disk can still take.
    package var room: Room
    /// What its memory can take, see `ReplicaSettings`.
    package var memory: UInt64

    package init(
        term: Term, round: UInt64, durable: LogIndex, wall: UInt64, room: Room = .ample, memory: UInt64 = 0
    ) {
        self.memory = memory
        self.term = term
        self.round = round
        self.durable = durable
        self.wall = wall
        self.room = room
    }
}

/// A follower's question: from which index on may I answer a read that came to me just now?
package struct ReadIndex: Sendable, Equatable {
    package var term: Term
    /// A number that the asking node never uses twice.
    package var nonce: UInt64

    package init(term: Term, nonce: UInt64) {
        self.term = term
        self.nonce = nonce
    }
}

package struct ReadIndexReply: Sendable, Equatable {
    package var term: Term
    package var nonce: UInt64
    package var index: LogIndex

    package init(term: Term, nonce: UInt64, index: LogIndex) {
        self.term = term
        self.nonce = nonce
        self.index = index
    }
}
