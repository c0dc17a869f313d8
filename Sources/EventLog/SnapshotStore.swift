package import Consensus

/// The snapshots in a data folder.
package struct SnapshotStore {
    let disk: any Disk
    package let cluster: UInt64

    private let chunkBytes: Int

    /// `chunkBytes`: of the snapshots that it writes; all nodes must have the same.
    package init(on disk: any Disk, cluster: UInt64, chunkBytes: Int) {
        self.disk = disk
        self.chunkBytes = chunkBytes
        self.cluster = cluster
    }

    /// The entries that there are snapshots up to, newest first.
    package func indexes() throws(EventLogError) -> [LogIndex] {
        do {
            return try disk.list().compactMap(FileNames.snapshotIndex).sorted(by: >)
        } catch {
            throw EventLogError(error)
        }
    }

    /// Throws `damaged` or `notInLog`.
    package func open(_ index: LogIndex) throws(EventLogError) -> SnapshotFile {
        try SnapshotFile(on: disk, index: index, cluster: cluster)
    }

    /// Begins a snapshot of everything up to `last`.
    package func write(upTo last: EntrySummary) throws(EventLogError) -> SnapshotWriter {
        try SnapshotWriter(on: disk, cluster: cluster, last: last, chunkBytes: chunkBytes)
    }

    /// Removes those from before `index`. The log must not need them.
    package func removeOlder(than index: LogIndex) throws(EventLogError) {
        let old = try indexes().filter { $0 < index }
        guard !old.isEmpty else { return }
        do {
            for index in old { try disk.remove(FileNames.snapshot(index)) }
            try disk.syncFolder()
        } catch {
            throw EventLogError(error)
        }
    }
}
