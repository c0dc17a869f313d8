import Consensus

/// What a node's disk has promised to keep, as seen from outside: nobody below is asked.
struct DurableTruth {
    private(set) var hardState = HardState(term: 0, vote: nil)
    /// Entries up to here came as a snapshot; what they were is not known here.
    private var base: LogIndex = 0
    /// Of the entries behind `base`, those that were released since among them.
    private var digests: [Digest] = []
    /// A crash may have caught a truncation half done: entries up to here alone are sure.
    private var sure: LogIndex = 0

    private var last: LogIndex { base + LogIndex(digests.count) }

    /// The disk said that these are done.
    mutating func apply(_ writes: [LogWrite]) {
        for write in writes {
            if let new = write.hardState { hardState = new }
            if let first = write.truncateFrom, first <= last { digests.removeSubrange(Int(first - base - 1)...) }
            if let reset = write.reset {
                base = reset.index
                digests = []
            }
            digests += write.entries.map(\.digest)
        }
        sure = last
    }

    /// The process died while these were being written: each is done or not.
    mutating func attempt(_ writes: [LogWrite]) {
        for write in writes {
            if let first = write.truncateFrom { sure = min(sure, first - 1) }
            if let reset = write.reset { sure = min(sure, reset.index) }
        }
    }

    /// The last of the committed entries that it holds; 0 when there is none.
    func newest(of committed: [Digest]) -> LogIndex {
        let end = min(last, LogIndex(committed.count))
        guard end > base else { return base }
        for index in stride(from: end, to: base, by: -1) where holds(committed[Int(index) - 1], at: index) { return index }
        return base
    }

    /// Its peers have told the node where its log ends: what was committed stays. Where it had lost its vote too, it goes to a
    /// term of which nobody knows; that may be lower than one in which an earlier life had been alone. That it votes for nobody
    /// twice is seen when it votes.
    mutating func learned(keeping index: LogIndex, isVoteLost: Bool) {
        sure = min(sure, index)
        if isVoteLost { hardState = HardState(term: 0, vote: nil) }
    }

    /// What recovery found must be what was promised, and may be more. What lies before `found`'s first entry is in a
    /// snapshot, which recovery has read.
    mutating func recover(
        _ found: HardState, behind newBase: LogIndex, _ entries: [EntrySummary], node: NodeID
    ) throws(Violation) {
        let recovered = entries.map(\.digest)
        let end = newBase + LogIndex(recovered.count)
        guard end >= sure else {
            throw Violation("node \(node) lost entries that its disk had acknowledged: it ends at \(end), not at \(sure)")
        }
        let first = max(base, newBase) + 1
        if first <= sure {
            for index in first...sure where recovered[Int(index - newBase) - 1] != digests[Int(index - base) - 1] {
                throw Violation("node \(node) has another entry \(index) than its disk had acknowledged")
            }
        }
        guard found.term >= hardState.term else {
            throw Violation("node \(node) fell from term \(hardState.term) to \(found.term) when it started")
        }
        if found.term == hardState.term, let vote = hardState.vote, found.vote != vote {
            throw Violation("node \(node) forgot its vote for \(vote) in term \(found.term)")
        }
        hardState = found
        if newBase > base, newBase <= last {
            digests.removeSubrange(Int(newBase - base)...)
        } else {
            base = newBase
            digests = []
        }
        digests += recovered
        sure = last
    }

    /// The log on the disk ends there or later, whatever it holds.
    func reaches(_ index: LogIndex) -> Bool { index <= last }

    func holds(_ digest: Digest, at index: LogIndex) -> Bool {
        index <= base || (index <= last && digests[Int(index - base) - 1] == digest)
    }
}
