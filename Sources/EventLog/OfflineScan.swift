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
    /// Why an opening would be refused; the entries visited are those before it.
    package var damage: LogDamage?
}

extension EventLog {
    private static let pieceBytes = 1 << 20

    /// Visits every entry in order, each verified, until the visitor returns false.
    ///
    /// Changes nothing and needs no lock: it may run beside a live node, and then sees the log as it was at some moment
    /// during the call. Throws `damaged` when a block that was whole is no longer, or a segment was released meanwhile.
    package static func scan(_ disk: any Disk, visit: (Entry) -> Bool) throws(EventLogError) -> LogReport {
        let superblock = try Superblock.load(on: disk)
        let segments: [SegmentFile]
        let scan: LogScan
        do {
            segments = try LogFolder(on: disk).openSegments(on: disk)
            scan = try LogScanner.scan(segments, on: disk, superblock: superblock)
        } catch {
            throw EventLogError(error)
        }
        defer { for segment in segments { disk.close(segment.file) } }
        let reader = EntryReader(disk: disk, segments: segments, cluster: BlockCodec.clusterTag(superblock.identity.cluster))
        var next = scan.state.base.index + 1
        visiting: while next <= scan.state.last.index {
            let entries = try reader.read(scan.state, from: next, through: scan.state.last.index, maxBytes: pieceBytes)
            for entry in entries where !visit(entry) { break visiting }
            next += UInt64(entries.count)
        }
        return LogReport(
            identity: superblock.identity, hardState: scan.state.hardState, commit: scan.state.commit, base: scan.state.base,
            last: scan.state.last, torn: scan.torn, damage: scan.damage)
    }
}
