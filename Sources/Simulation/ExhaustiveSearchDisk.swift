import Consensus

/// What a node of the searched world has on disk.
struct SearchDisk: Sendable {
    private(set) var hardState = HardState(term: 0, vote: nil)
    private(set) var entries: [Entry] = []
    /// Entries up to here are known to be committed.
    private(set) var commit: LogIndex = 0
    /// What was durable until it was lost: acknowledgements of it may still be on their way.
    private var forgotten: [Entry] = []
    /// Ordered and not durable, the oldest first.
    private(set) var pending: [LogWrite] = []
    /// So many of the pending were said to be durable: always none where the disk is honest.
    private(set) var claimed = 0

    mutating func order(_ write: LogWrite) {
        pending.append(write)
    }

    /// How many writes the node waits for.
    var waitedFor: Int { pending.count - claimed }

    /// Says that the oldest writes the node waits for are durable, and gives the number of the last of them.
    mutating func complete(_ count: Int, lying: Bool) -> UInt64 {
        let number = pending[claimed + count - 1].number
        if lying {
            claimed += count
        } else {
            for write in pending.prefix(count) { apply(write) }
            pending.removeFirst(count)
        }
        return number
    }

    /// Of what was not durable, the oldest `surviving` writes are found after the restart, and the others never were.
    mutating func crash(surviving: Int) {
        for write in pending.prefix(surviving) { apply(write) }
        pending = []
        claimed = 0
    }

    /// Of all that was durable, the oldest `kept` entries are left.
    mutating func forget(keeping kept: Int) {
        crash(surviving: 0)
        forgotten = entries
        entries.removeLast(entries.count - kept)
        hardState = HardState(term: entries.last?.term ?? 0, vote: nil)
        commit = min(commit, LogIndex(kept))
    }

    /// A log that was lost in part is whole again.
    mutating func restore(_ state: HardState, _ whole: [Entry]) {
        hardState = state
        entries = whole
    }

    private mutating func apply(_ write: LogWrite) {
        if let new = write.hardState { hardState = new }
        if let first = write.truncateFrom { entries.removeLast(entries.count - Int(first - 1)) }
        entries += write.entries
        commit = max(commit, write.commit)
    }

    func holds(_ digest: Digest?, at index: LogIndex) -> Bool {
        index == 0 || (index <= LogIndex(entries.count) && entries[Int(index - 1)].digest == digest)
    }

    /// Or held it, until the disk lost it.
    func hasHeld(_ digest: Digest, at index: LogIndex) -> Bool {
        holds(digest, at: index) || (index <= LogIndex(forgotten.count) && forgotten[Int(index - 1)].digest == digest)
    }

    /// What reading gives, through the page cache.
    func readable(from index: LogIndex) -> [Entry] {
        var copy = self
        copy.crash(surviving: pending.count)
        return Array(copy.entries.dropFirst(Int(index - 1)))
    }

    func encode(_ names: CanonicalNames, into hash: inout CanonicalHash) {
        encode(hardState, names, into: &hash)
        hash.add(UInt64(entries.count))
        hash.add(entries.last?.digest.low)
        hash.add(UInt64(forgotten.count))
        hash.add(forgotten.last?.digest.low)
        hash.add(commit)
        hash.add(UInt64(claimed))
        hash.add(UInt64(pending.count))
        for write in pending {
            if let state = write.hardState { encode(state, names, into: &hash) } else { hash.add(nil) }
            hash.add(write.truncateFrom)
            hash.add(UInt64(write.entries.count))
            hash.add(write.entries.last?.digest.low)
            hash.add(write.commit)
        }
    }

    private func encode(_ state: HardState, _ names: CanonicalNames, into hash: inout CanonicalHash) {
        hash.add(state.term + 1)
        hash.add(state.vote.map { names.places[Int($0.rawValue - 1)] })
    }
}
