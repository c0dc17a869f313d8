import Consensus
package import EventLog

/// Reads a node's snapshots again and again, a piece at a time, so that rot is found while a good copy is left elsewhere.
package struct SnapshotScrubber {
    private let store: SnapshotStore
    /// Where it is: the snapshot, and the next of its chunks.
    private var place: (index: LogIndex, chunk: Int) = (0, 0)

    package init(_ store: SnapshotStore) {
        self.store = store
    }

    /// Reads on, `maxBytes` or a little more; gives what it found wrong. Throws what the disk says.
    package mutating func step(maxBytes: UInt64) throws(EventLogError) -> SnapshotCheck? {
        let indexes = try store.indexes().sorted()
        guard let index = indexes.first(where: { $0 >= place.index }) ?? indexes.first else { return nil }
        if index != place.index { place = (index, 0) }
        let check: SnapshotCheck
        do throws(EventLogError) {
            check = try store.check(index, from: place.chunk, maxBytes: maxBytes)
        } catch  where error.code == .notInLog {
            // It was removed meanwhile.
            place = (index + 1, 0)
            return nil
        }
        // One that is found rotten is fetched; there is no use in reading on.
        place = check.next.map { check.faults.isEmpty ? (index, $0) : (index + 1, 0) } ?? (index + 1, 0)
        return check.faults.isEmpty ? nil : check
    }
}
