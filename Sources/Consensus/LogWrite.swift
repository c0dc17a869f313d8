/// What must survive a crash besides the entries (Raft paper, figure 2, "persistent state").
package struct HardState: Sendable, Equatable {
    package var term: Term
    /// Whom this node voted for in the term.
    package var vote: NodeID?

    package init(term: Term, vote: NodeID?) {
        self.term = term
        self.vote = vote
    }
}

/// One ordered piece of work for the disk: first the hard state, then the truncation or the reset, then the entries.
///
/// Writes are numbered from 1 and done in order; many may be made durable with one sync. The messages that
/// promise what is in a write stay inside the replica until it hears `persisted(upTo:)` with the write's number.
package struct LogWrite: Sendable, Equatable {
    package let number: UInt64
    package var hardState: HardState?
    /// Entries from this index on are gone.
    package var truncateFrom: LogIndex?
    /// The log begins anew behind this entry: a snapshot, durable already, holds everything up to it.
    package var reset: EntrySummary?
    package var entries: [Entry]
    /// Everything up to here is known to be committed: a hint that lets a restart apply it at once.
    package var commit: LogIndex

    package init(
        number: UInt64, hardState: HardState?, truncateFrom: LogIndex?, reset: EntrySummary? = nil, entries: [Entry],
        commit: LogIndex
    ) {
        self.number = number
        self.hardState = hardState
        self.truncateFrom = truncateFrom
        self.reset = reset
        self.entries = entries
        self.commit = commit
    }
}
