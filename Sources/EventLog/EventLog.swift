package import Consensus

/// One node's log in one data folder: entries, votes and truncations in one ordered stream.
///
/// The stream is cut into segments of fixed size, filled with zeros ahead and used again when released. A batch of
/// writes starts on a page of its own and is made durable with one sync, so bytes that were acknowledged are never
/// written again. `LogScanner` tells what a crash leaves. Used by one thread at a time.
package final class EventLog {
    let disk: any Disk
    package let options: EventLogOptions
    /// The number by which this cluster's blocks name it.
    package let cluster: UInt64
    var superblock: Superblock
    /// Stays open as long as the log is: a vote must not wait for a descriptor.
    private var superblockFile: FileID?
    /// In order; the last one takes the next batch. Never empty once the log is open.
    var segments: [SegmentFile]
    /// Segments before it were released.
    var firstSegment: UInt64
    /// Files of fetched blocks, in order.
    var patches: [PatchFile]
    /// The last patch was begun since the log was opened, and takes more.
    var isPatchOpen = false
    /// Where in the last segment the next batch goes.
    var tail: UInt64
    /// Where in the last segment that took one the last batch began.
    var lastBatch: UInt64 = 0
    var state: LogState
    /// Blocks that should be here and can't be read; nil when there is none.
    package internal(set) var missing: MissingBlocks?
    /// Where blocks lie that stand at no index now, for when the chain turns out to lead to them.
    var others: [Digest: BlockLocation]
    /// Where blocks lie that opening the log found to be corrupt, with headers that are whole.
    var corrupt: [Digest: BlockLocation]
    /// Where blocks lie that could not be read since the log was opened: a disk may yet give them back.
    var suspects: [LogIndex: (digest: Digest, location: BlockLocation)] = [:]
    /// See `Recovery`.
    package internal(set) var isEndLost: Bool
    package internal(set) var isHardStateLost: Bool
    private var isMember: Bool
    /// The last frame before this opening.
    private let opened: UInt64
    /// The openings before this one.
    private let earlier: [Opening]
    /// Which entry is scrubbed next.
    var nextScrubbed: LogIndex = 0
    /// Of the last frame made, durable or not.
    var sequence: UInt64
    /// Of the last frame that is durable.
    var durable: UInt64
    /// Open, so that going on in a new segment takes no descriptor.
    var spares: [SpareFile] = []
    var space = LogSpace()
    let batch = BatchBuffer()
    /// What the first failed call said.
    var poison: String?
    package internal(set) var counters = LogCounters()

    /// What opening found.
    package struct Recovery: Sendable {
        /// The newest that is known; see `isHardStateLost`.
        package var hardState: HardState
        /// A hint: everything up to here was committed, belongs to the log for certain, and can be read.
        package var commit: LogIndex
        /// The entry before the first one held; `EntrySummary.beforeFirst` unless segments were released.
        package var base: EntrySummary
        /// Of all entries held, in order, up to the first one whose block is missing.
        package var entries: [EntrySummary]
        /// Of the entries from the first missing one to the last, in order: nil where nothing is known, or the name alone.
        package var behindHole: [EntrySummary?]
        /// The last entry of the log, its block missing or not. It counts in votes.
        package var last: EntrySummary
        /// The blocks that are missing, and how they are found; nil when there is none. See `EventLog.repair`.
        package var missing: MissingBlocks?
        /// Entries behind the last one were acknowledged and are lost, and nobody here knows which: the log counts as shorter
        /// than it was. Such a node must neither vote nor lead nor acknowledge before `EventLog.learn`. Stays over restarts.
        package var isEndLost: Bool
        /// A vote may have been given that is no longer known. Such a node must not vote before `EventLog.learn`. Stays over
        /// restarts.
        package var isHardStateLost: Bool
        /// The node has begun to take part with an empty log, whatever has happened in it since.
        package var isMember: Bool
        /// All that is wrong, in words; nil when nothing that was acknowledged is missing.
        package var damage: LogDamage?
        /// What was cut off behind the last whole frame.
        package var torn: TornTail?
        /// How many times the folder was opened, this time included.
        package var incarnation: UInt32
    }

    /// Opens the folder, or makes a new log in one that has none, and reads all of it.
    ///
    /// `accept` hears what was found before anything is written: when it throws, the folder stays as it is, and may come
    /// back whole. Afterwards everything that `Recovery` tells is durable.
    ///
    /// What was acknowledged and can't be read is in `missing` and its
    /// neighbours: the log opens with holes, serves what it has, and writes nothing over what is left of the rest. Throws
    /// `wrongIdentity` for another node's folder and `damaged` when not even that much can be told; then nothing in
    /// the folder is changed.
    ///
    /// `wasEmptied`: what is new is the folder alone; a log in which nothing has happened counts as one that has lost everything.
    /// `begins`: the node begins to take part with an empty log, which the folder remembers.
    /// `membership`: the cluster as the node knows it. The folder remembers it, and is refused under another one (`wrongMembership`).
    package static func open(
        on disk: any Disk, identity: LogIdentity, membership: Membership? = nil, options: EventLogOptions = EventLogOptions(),
        wasEmptied: Bool = false, begins: Bool = false, accepting accept: (Recovery) throws(EventLogError) -> Void = { _ in }
    ) throws(EventLogError) -> (EventLog, Recovery) {
        guard identity.cluster.utf8.count <= Superblock.maxNameBytes else {
            throw EventLogError(.wrongIdentity, "a cluster's name has at most \(Superblock.maxNameBytes) bytes")
        }
        do {
            let folder = try LogFolder(on: disk)
            if !folder.hasSuperblock, try LogCreation.isUnused(folder, on: disk) {
                try LogCreation.create(on: disk, identity: identity, options: options)
            }
        } catch {
            throw EventLogError(error)
        }
        let reading = try LogReading.read(on: disk, identity: identity)
        do throws(EventLogError) {
            try reading.check(membership)
        } catch {
            reading.close()
            throw error
        }
        let log = EventLog(reading, on: disk, options: options)
        log.superblock.incarnation += 1
        if let membership { log.superblock.membership = membership }
        if begins { log.isMember = true }
        if wasEmptied, log.isEmpty { (log.isEndLost, log.isHardStateLost) = (true, true) }
        let recovery = log.recovery(reading.scan)
        do throws(EventLogError) {
            try accept(recovery)
        } catch {
            reading.close()
            throw error
        }
        do {
            try log.begin(reading)
        } catch {
            throw EventLogError(error)
        }
        return (log, recovery)
    }

    private init(_ reading: LogReading, on disk: any Disk, options: EventLogOptions) {
        let scan = reading.scan
        self.disk = disk
        self.options = options
        cluster = BlockCodec.clusterTag(reading.identity.cluster)
        superblock =
            reading.superblock.newest
            ?? Superblock(identity: reading.identity, sequence: 0, incarnation: scan.incarnation, durable: scan.sequence)
        // Frames outlive a rotten copy of the superblock; neither number may fall back.
        superblock.incarnation = max(superblock.incarnation, scan.incarnation)
        let held = scan.isEndRotten ? reading.segments[...] : reading.segments[...scan.tailSegment]
        segments = Array(held)
        firstSegment = superblock.notes?.firstSegment ?? segments.first?.number ?? 1
        patches = reading.patches
        tail = scan.tailOffset
        state = scan.state
        missing = scan.missing
        others = scan.others
        corrupt = scan.corrupt
        isEndLost = scan.isEndLost
        isHardStateLost = scan.isHardStateLost
        isMember = superblock.notes?.isMember ?? false
        sequence = scan.sequence
        durable = scan.sequence
        opened = scan.sequence
        earlier = Openings(reading.superblock.newest).earlier(than: scan.sequence)
        counters.rawBytes = scan.rawBytes
        counters.storedBytes = scan.storedBytes
        counters.diskBytes = UInt64(scan.tailSegment) * options.segmentBytes + scan.tailOffset
    }

    /// Counts the opening before anything else is written, so that what was cut off never counts again.
    private func begin(_ reading: LogReading) throws(DiskError) {
        if reading.superblock.newest == nil {
            superblock.sequence += 1
            superblock.notes = notes()
            try superblock.create(on: disk)
        }
        superblockFile = try disk.open(FileNames.superblock, create: false)
        // In both copies: the loss of one must not bring back what was cut off.
        for _ in 0..<2 { try storeSuperblock(tail: reading.scan.isEndRotten ? superblock.notes : nil) }
        for segment in reading.released {
            disk.close(segment.file)
            try disk.remove(segment.name)
        }
        for segment in reading.segments[segments.count...] {
            disk.close(segment.file)
            try disk.rename(segment.name, to: FileNames.spare(segment.number))
        }
        for name in try LogFolder(on: disk).leftovers { try disk.remove(name) }
        try disk.syncFolder()
        try findSpares()
        guard reading.scan.isEndRotten || segments.isEmpty else { return }
        // What is left of the last frames stays as it is.
        try roll(behind: max(segments.last?.number ?? 0, reading.superblock.newest?.notes?.tailSegment ?? 0))
        try flush()
        try storeSuperblock()
    }

    private func recovery(_ scan: LogScan) -> Recovery {
        let whole = Int((scan.missing?.indexes.first ?? scan.state.last.index + 1) - scan.state.base.index) - 1
        return Recovery(
            hardState: scan.state.hardState, commit: scan.state.commit, base: scan.state.base,
            entries: scan.summaries[..<whole].compactMap(\.self), behindHole: Array(scan.summaries[whole...]),
            last: scan.state.last, missing: scan.missing, isEndLost: isEndLost, isHardStateLost: isHardStateLost,
            isMember: isMember, damage: scan.damage, torn: scan.torn, incarnation: superblock.incarnation)
    }

    /// Writes how things stand. Everything appended so far must be durable.
    ///
    /// `tail`: from where the last segments are to be taken, when the end is rotten and the log has not gone on in a new one.
    func storeSuperblock(tail: SuperblockNotes? = nil) throws(DiskError) {
        superblock.sequence += 1
        superblock.durable = durable
        var new = notes()
        if let tail { (new.tailSegment, new.tailOffset, new.tailBytes) = (tail.tailSegment, tail.tailOffset, tail.tailBytes) }
        superblock.notes = new
        guard let superblockFile else { preconditionFailure("the log is not open") }
        try superblock.store(in: superblockFile, on: disk)
    }

    private func notes() -> SuperblockNotes {
        SuperblockNotes(
            hardState: state.hardState, last: state.last, base: state.base, firstSegment: firstSegment,
            tailSegment: segments.last?.number ?? superblock.notes?.tailSegment ?? 0, tailOffset: tail,
            tailBytes: segments.last?.size ?? 0, opened: opened, earlier: earlier,
            isEndLost: isEndLost, isHardStateLost: isHardStateLost, isMember: isMember)
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

    /// Whether the call that threw this found no room and changed nothing, so that it may be made again. A disk that runs out of
    /// space in the middle of what had been made ready has failed.
    package func onlyLacksRoom(_ error: EventLogError) -> Bool {
        error.code == .noSpace && poison == nil
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

    /// Throws when another folder was put in the place of this one: what is written no longer lands where a restart will look.
    package func checkPlace() throws(EventLogError) {
        guard !disk.isInPlace else { return }
        poison = poison ?? "its folder was replaced"
        throw EventLogError(
            .disk,
            "the data folder was removed or replaced while the node was using it; put the right one there and start the node again"
        )
    }

    /// Closes the files; the log must not be used any more.
    package func close() {
        for segment in segments { disk.close(segment.file) }
        for patch in patches { disk.close(patch.file) }
        for spare in spares { disk.close(spare.file) }
        if let superblockFile { disk.close(superblockFile) }
        superblockFile = nil
        spares.removeAll()
        segments.removeAll()
        patches.removeAll()
        poison = poison ?? "the log is closed"
    }
}
