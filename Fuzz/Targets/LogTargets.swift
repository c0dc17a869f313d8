import Consensus
import EventLog

extension FuzzTarget {
    private static let segmentBytes = 8 << 10

    /// Segment files of 8 KiB, one behind the other, the last one filled up with zeros.
    static let segments = FuzzTarget("segments", maximumBytes: 4 * segmentBytes) { bytes in
        checkRecovery(LogFolderMaker.folder(superblock: LogFolderMaker.superblock, segments: bytes))
    }

    /// Behind the checksums of frames and the digests of blocks; references from one to the next are kept right.
    static let segmentsSealed = FuzzTarget("segments-sealed", maximumBytes: 4 * segmentBytes) { bytes in
        var sealer = SegmentSealer(bytes, segmentBytes: segmentBytes)
        checkRecovery(LogFolderMaker.folder(superblock: LogFolderMaker.superblock, segments: sealer.sealed()))
    }

    /// The file as it is, beside a log of a few entries.
    static let superblock = FuzzTarget("superblock", maximumBytes: segmentBytes) { bytes in
        checkRecovery(LogFolderMaker.folder(superblock: bytes, segments: LogFolderMaker.sampleSegments))
    }

    /// Each half of the input begins one copy, which gets its digest.
    static let superblockSealed = FuzzTarget("superblock-sealed", maximumBytes: 600) { bytes in
        let half = bytes.count / 2
        let file = LogFolderMaker.slot(bytes[..<half]) + LogFolderMaker.slot(bytes[half...])
        checkRecovery(LogFolderMaker.folder(superblock: file, segments: LogFolderMaker.sampleSegments))
    }

    /// Opening reads what scanning says, refuses without changing anything, and what it accepted can be read, opened
    /// again and carried on.
    private static func checkRecovery(_ disk: SimulatedDisk) {
        let report = try? EventLog.scan(disk) { _ in true }
        let identity = report?.identity ?? LogFolderMaker.identity
        let writes = disk.counters.writes
        guard let (log, recovery) = try? EventLog.open(on: disk, identity: identity, options: LogFolderMaker.options) else {
            hold(disk.counters.writes == writes, "a refused folder was changed")
            hold(report?.damage != nil || report == nil, "a whole log was refused")
            return
        }
        guard let report, report.damage == nil else { fatalError("broken promise: a damaged log was opened") }
        let last = recovery.entries.last ?? recovery.base
        hold(last == report.last && recovery.base == report.base, "opening and scanning differ")
        hold(recovery.hardState == report.hardState && recovery.commit == report.commit, "votes or commit differ")
        hold(recovery.commit <= last.index, "a commit beyond the log")
        if !recovery.entries.isEmpty {
            let read = try? log.read(from: recovery.base.index + 1, through: last.index, maxBytes: .max)
            hold(read?.map(\.summary) == recovery.entries, "what was recovered can't be read")
        }
        carryOn(log, recovery, on: disk, identity: identity, after: last)
    }

    private static func carryOn(
        _ log: EventLog, _ recovery: EventLog.Recovery, on disk: SimulatedDisk, identity: LogIdentity, after last: EntrySummary
    ) {
        // No log gets so long; an entry beyond the last number could not be sealed.
        guard max(last.index, last.term, last.time, last.nextCommand) < 1 << 62 else { return }
        let entry = BlockCodec.seal(
            EntryDraft(
                kind: .tick, term: last.term, index: last.index + 1, time: last.time, firstCommand: last.nextCommand,
                commandCount: 0, parent: last.digest, payload: []), cluster: log.cluster)
        let write = LogWrite(number: 1, hardState: nil, truncateFrom: nil, entries: [entry], commit: recovery.commit)
        hold((try? log.append([write])) != nil, "a log that was opened takes no entry")
        log.close()
        guard let (again, second) = try? EventLog.open(on: disk, identity: identity, options: LogFolderMaker.options) else {
            fatalError("broken promise: a log that was opened can't be opened again")
        }
        again.close()
        hold(second.entries == recovery.entries + [entry.summary], "the second opening finds other entries")
        hold(second.hardState == recovery.hardState, "the second opening finds another vote")
        hold(second.incarnation == recovery.incarnation + 1 && second.torn == nil, "the second opening is not the next")
    }
}
