package import Consensus

/// What a data folder holds, read without changing it.
package struct LogReport: Sendable {
    package var identity: LogIdentity
    package var hardState: HardState
    package var commit: LogIndex
    /// The entry before the first one held.
    package var base: EntrySummary
    package var last: EntrySummary
    /// What an opening would cut off.
    package var torn: TornTail?
    /// What was acknowledged and can't be read; the entries visited are those before the first one that is missing.
    package var damage: LogDamage?
    /// Where frames can't be read, also where that costs nothing.
    package var rotten: [LogDamage.Place]
    /// Frames that were read, segments and patches, and blocks in the patches.
    package var frames: Int
    package var segments: Int
    package var patches: Int
    package var patchedBlocks: Int
    /// Bytes of the blocks of all entries, headers included.
    package var blockBytes: UInt64
    /// Both copies of the superblock are whole.
    package var isSuperblockWhole: Bool
    /// Of the entries behind `base`, in order; nil where nothing is known, or the name alone.
    package var summaries: [EntrySummary?]

    /// The entry at the index, when it is known; the base too.
    package func summary(at index: LogIndex) -> EntrySummary? {
        if index == base.index { return base }
        guard index > base.index, index <= last.index else { return nil }
        return summaries[Int(index - base.index) - 1]
    }
}

extension EventLog {
    private static let pieceBytes = 1 << 20

    /// A node that writes meanwhile can look like damage: a page is read before it is written, and a later one after that.
    private static let maxReadings = 5

    /// Visits every entry in order, each verified, from entry `first` on, until the visitor returns false or an entry is
    /// missing; with `pastHoles`, goes on behind those.
    ///
    /// Changes nothing and needs no lock: it may run beside a live node, and then sees the log as it was at some moment
    /// during the call. Throws `damaged` when a block that was whole is no longer, or a segment was released meanwhile.
    package static func scan(
        _ disk: any Disk, from first: LogIndex = 0, pastHoles: Bool = false, visit: (Entry) -> Bool
    ) throws(EventLogError) -> LogReport {
        let reading = try settledReading(of: disk)
        defer { reading.close() }
        let state = reading.scan.state
        let reader = EntryReader(
            disk: disk, files: LogFiles(segments: reading.segments, patches: reading.patches), cluster: reading.cluster)
        var next = max(first, state.base.index + 1)
        visiting: while next <= state.last.index {
            guard state.location(of: next) != nil else {
                guard pastHoles else { break }
                next += 1
                continue
            }
            let entries = try reader.read(state, from: next, through: state.last.index, maxBytes: pieceBytes)
            for entry in entries where !visit(entry) { break visiting }
            next += UInt64(entries.count)
        }
        return LogReport(reading)
    }

    /// Damage is believed once it was seen twice alike.
    private static func settledReading(of disk: any Disk) throws(EventLogError) -> LogReading {
        var seen: LogDamage?
        var tries = 0
        while true {
            tries += 1
            do {
                let reading = try LogReading.read(on: disk, identity: nil)
                if reading.scan.damage == seen || reading.scan.damage == nil || tries == maxReadings { return reading }
                seen = reading.scan.damage
                reading.close()
            } catch {
                // A segment that was listed may be released before it is opened.
                if tries == maxReadings || error.code != .disk { throw error }
            }
        }
    }
}

extension LogReport {
    init(_ reading: LogReading) {
        let scan = reading.scan
        self.init(
            identity: reading.identity, hardState: scan.state.hardState, commit: scan.state.commit, base: scan.state.base,
            last: scan.state.last, torn: scan.torn, damage: scan.damage, rotten: scan.rotten, frames: scan.frames,
            segments: reading.segments.count, patches: reading.patches.count, patchedBlocks: reading.patchedBlocks,
            blockBytes: scan.storedBytes, isSuperblockWhole: reading.superblock.isCertain, summaries: scan.summaries)
    }
}
