import Consensus

/// What a node's disk has promised to keep, as seen from outside: nobody below is asked.
struct DurableTruth {
    private(set) var hardState = HardState(term: 0, vote: nil)
    /// Of entry 1 and on.
    private(set) var digests: [Digest] = []
    /// A crash may have caught a truncation half done: entries up to here alone are sure.
    private var sure = 0

    /// The disk said that these are done.
    mutating func apply(_ writes: [LogWrite]) {
        for write in writes {
            if let new = write.hardState { hardState = new }
            if let first = write.truncateFrom, first <= LogIndex(digests.count) { digests.removeSubrange(Int(first - 1)...) }
            digests += write.entries.map(\.digest)
        }
        sure = digests.count
    }

    /// The process died while these were being written: each is done or not.
    mutating func attempt(_ writes: [LogWrite]) {
        for write in writes {
            if let first = write.truncateFrom { sure = min(sure, Int(first - 1)) }
        }
    }

    /// What recovery found must be what was promised, and may be more.
    mutating func recover(_ found: HardState, _ entries: [EntrySummary], node: NodeID) throws(Violation) {
        let recovered = entries.map(\.digest)
        guard recovered.count >= sure, recovered[..<sure] == digests[..<sure] else {
            throw Violation("node \(node) lost entries that its disk had acknowledged: \(recovered.count) of \(sure) are left")
        }
        guard found.term >= hardState.term else {
            throw Violation("node \(node) fell from term \(hardState.term) to \(found.term) when it started")
        }
        if found.term == hardState.term, let vote = hardState.vote, found.vote != vote {
            throw Violation("node \(node) forgot its vote for \(vote) in term \(found.term)")
        }
        hardState = found
        digests = recovered
        sure = recovered.count
    }

    func holds(_ digest: Digest, at index: LogIndex) -> Bool {
        index == 0 || (index <= LogIndex(digests.count) && digests[Int(index - 1)] == digest)
    }
}
