package import Consensus

/// One node's log in one data folder: entries, votes and truncations in one ordered stream.
///
/// The stream is cut into segments of fixed size, filled with zeros ahead and used again when released. A batch of
/// writes starts on a page of its own and is made durable with one sync, so bytes that were acknowledged are never
/// written again. `LogScanner` tells what a crash leaves. Used by one thread at a time.
package final class EventLog {
    let disk: any Disk
    let options: EventLogOptions
    /// The number by which this cluster's blocks name it.
    package let cluster: UInt64
    var superblock: Superblock
    /// In order; the last one takes the next batch. Never empty.
    var segments: [SegmentFile]
    /// Where in the last segment the next batch goes.
    var tail: UInt64
    /// Where in the last segment that took one the last batch began.
    var lastBatch: UInt64 = 0
    var state: LogState
    /// Of the last frame made, durable or not.
    var sequence: UInt64
    /// Of the last frame that is durable.
    var durable: UInt64
    var spares: [String] = []
    let batch = BatchBuffer()
    /// What the first failed call said.
    var poison: String?
    package internal(set) var counters = LogCounters()

    /// What opening found.
    package struct Recovery: Sendable {
        package var hardState: HardState
        /// A hint: everything up to here was committed.
        package var commit: LogIndex
        /// The entry before the first one held; `EntrySummary.beforeFirst` unless segments were released.
        package var base: EntrySummary
        /// Of all entries held, in order.
        package var entries: [EntrySummary]
        /// What was cut off behind the last whole frame.
        package var torn: TornTail?
        /// How many times the folder was opened, this time included.
        package var incarnation: UInt32
    }

    /// Opens the folder, or makes a new log in one that has none, and reads all of it.
    ///
    /// Everything that `Recovery` tells is durable. Throws `wrongIdentity` for another node's folder and `damaged`
    /// when something that was acknowledged can't be read; then nothing in the folder is changed.
    package static func open(
        on disk: any Disk, identity: LogIdentity, options: EventLogOptions = EventLogOptions()
    ) throws(EventLogError) -> (EventLog, Recovery) {
        guard identity.cluster.utf8.count <= Superblock.maxNameBytes else {
            throw EventLogError(.wrongIdentity, "a cluster's name has at most \(Superblock.maxNameBytes) bytes")
        }
        do {
            if try !LogFolder(on: disk).hasSuperblock {
                try LogCreation.create(on: disk, identity: identity, options: options)
            }
            let superblock = try Superblock.load(on: disk)
            guard superblock.identity == identity else {
                throw EventLogError(.wrongIdentity, "the data folder belongs to \(superblock.identity), not to \(identity)")
            }
            let files = try LogFolder(on: disk).openSegments(on: disk)
            let scan = try LogScanner.scan(files, on: disk, superblock: superblock)
            if let damage = scan.damage {
                for segment in files { disk.close(segment.file) }
                throw EventLogError(.damaged, damage.description)
            }
            let log = EventLog(scan, files: files, on: disk, superblock: superblock, options: options)
            try log.begin(releasing: Array(files[(scan.tailSegment + 1)...]))
            let recovery = Recovery(
                hardState: scan.state.hardState, commit: scan.state.commit, base: scan.state.base, entries: scan.entries,
                torn: scan.torn, incarnation: log.superblock.incarnation)
            return (log, recovery)
        } catch let error as DiskError {
            throw EventLogError(error)
        } catch let error as EventLogError {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private init(_ scan: LogScan, files: [SegmentFile], on disk: any Disk, superblock: Superblock, options: EventLogOptions) {
        self.disk = disk
        self.options = options
        cluster = BlockCodec.clusterTag(superblock.identity.cluster)
        self.superblock = superblock
        // Frames outlive a rotten copy of the superblock; neither number may fall back.
        self.superblock.incarnation = max(superblock.incarnation, scan.incarnation)
        segments = Array(files[...scan.tailSegment])
        tail = scan.tailOffset
        state = scan.state
        sequence = scan.sequence
        durable = scan.sequence
        counters.rawBytes = scan.rawBytes
        counters.storedBytes = scan.storedBytes
        counters.diskBytes = UInt64(scan.tailSegment) * options.segmentBytes + scan.tailOffset
    }

    /// Counts the opening before anything else is written, so that what was cut off never counts again.
    private func begin(releasing empty: [SegmentFile]) throws(DiskError) {
        superblock.incarnation += 1
        try storeSuperblock()
        for segment in empty {
            disk.close(segment.file)
            try disk.rename(segment.name, to: FileNames.spare(segment.number))
        }
        for name in try LogFolder(on: disk).leftovers { try disk.remove(name) }
        try disk.syncFolder()
        try findSpares()
    }

    private func storeSuperblock() throws(DiskError) {
        superblock.sequence += 1
        superblock.durable = durable
        try superblock.store(on: disk)
    }

    /// Notes in the superblock that everything appended so far is durable.
    ///
    /// A frame is known to be durable by the next one written; until then, rot in the last batch can't be told from
    /// a torn tail. To be called when the log has been idle for a moment and before a clean stop. Throws `disk`.
    package func markDurable() throws(EventLogError) {
        try refuseIfPoisoned()
        guard superblock.durable != durable else { return }
        try poisoning { () throws(DiskError) in try storeSuperblock() }
    }

    func refuseIfPoisoned() throws(EventLogError) {
        guard let poison else { return }
        throw EventLogError(.poisoned, "the log takes no more writes since a call failed: \(poison)")
    }

    /// After a failed write or sync nobody knows what the disk holds; only reading it anew tells (Rebello et al.).
    func poisoning(_ work: () throws(DiskError) -> Void) throws(EventLogError) {
        do {
            try work()
        } catch {
            poison = error.description
            throw EventLogError(error)
        }
    }

    /// Closes the files; the log must not be used any more.
    package func close() {
        for segment in segments { disk.close(segment.file) }
        segments.removeAll()
        poison = poison ?? "the log is closed"
    }
}
