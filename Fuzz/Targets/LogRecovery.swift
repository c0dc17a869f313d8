import Consensus
import EventLog

/// Opening reads what scanning says, refuses without changing anything, tells what is lost, and what it opened can be read,
/// carried on, and opened again.
enum LogRecovery {
    static func check(_ disk: SimulatedDisk) {
        let report = try? EventLog.scan(disk) { _ in true }
        var identity = report?.identity ?? LogFolderMaker.identity
        // Segments without a superblock don't tell the cluster's name.
        if report?.isSuperblockWhole == false, identity.cluster != Digests.cluster { identity.cluster = Digests.cluster }
        let writes = disk.counters.writes
        guard let (log, recovery) = try? EventLog.open(on: disk, identity: identity, options: LogFolderMaker.options) else {
            hold(disk.counters.writes == writes, "a refused folder was changed")
            hold(report == nil || report?.identity != identity, "a folder that can be read was refused")
            return
        }
        guard let report else { fatalError("broken promise: a folder was opened that can't be scanned") }
        hold(recovery.last == report.last && recovery.base == report.base, "opening and scanning differ")
        hold(recovery.hardState == report.hardState && recovery.commit == report.commit, "votes or commit differ")
        hold(recovery.damage == report.damage && recovery.torn == report.torn, "damage differs")
        let isWhole = recovery.missing == nil && !recovery.isEndLost && !recovery.isHardStateLost
        hold((recovery.damage == nil) == isWhole, "damage that is not told, or told for nothing")
        checkEntries(log, recovery)
        carryOn(log, recovery, on: disk, identity: identity)
    }

    /// What is here can be read, and what is not says so.
    private static func checkEntries(_ log: EventLog, _ recovery: EventLog.Recovery) {
        let (first, last) = (recovery.base.index + 1, recovery.last.index)
        let held = recovery.base.index + UInt64(recovery.entries.count)
        hold(held + UInt64(recovery.behindHole.count) == last, "\(held) entries of \(last)")
        hold(recovery.commit <= held, "a commit beyond what can be read")
        if !recovery.entries.isEmpty {
            let read = try? log.read(from: first, through: last, maxBytes: .max)
            hold(read?.map(\.summary) == recovery.entries, "what was recovered can't be read")
        }
        hold((try? log.scrub(maxBytes: .max))?.lost.isEmpty == true, "what was recovered can't be read again")
        guard let missing = recovery.missing else { return hold(held == last, "entries are missing and nobody says so") }
        hold(!missing.wanted.isEmpty, "a hole that nobody can close")
        for place in recovery.behindHole.indices.prefix(100) {
            let index = held + UInt64(place) + 1
            do {
                let entry = try log.read(from: index, through: index, maxBytes: 0).first
                hold(entry?.digest == missing.digest(at: index) && !missing.isMissing(index), "entry \(index) is another")
            } catch {
                hold(error.code == .missing && missing.isMissing(index), "\(error)")
            }
        }
    }

    private static func carryOn(
        _ log: EventLog, _ recovery: EventLog.Recovery, on disk: SimulatedDisk, identity: LogIdentity
    ) {
        let last = recovery.last
        let entry = BlockCodec.seal(
            EntryDraft(
                kind: .tick, term: last.term, index: last.index + 1, time: last.time, firstCommand: last.nextCommand,
                commandCount: 0, parent: last.digest, payload: []), cluster: log.cluster)
        let write = LogWrite(number: 1, hardState: nil, truncateFrom: nil, entries: [entry], commit: recovery.commit)
        hold((try? log.append([write])) != nil, "a log that was opened takes no entry")
        log.close()
        guard let second = reopened(disk, identity, releasing: recovery.commit) else { return }
        // What is below a hole is presumed, and the second opening may know better.
        if recovery.missing == nil {
            hold(second.entries == recovery.entries + [entry.summary], "the second opening finds other entries")
        }
        hold(second.last == entry.summary, "the second opening ends elsewhere")
        hold(second.hardState == recovery.hardState, "the second opening finds another vote")
        hold(
            second.isEndLost == recovery.isEndLost && second.isHardStateLost == recovery.isHardStateLost,
            "what is lost was forgotten")
        hold(second.incarnation == recovery.incarnation + 1, "the second opening is not the next")
        guard let third = reopened(disk, identity) else { return }
        let released = max(recovery.commit, recovery.base.index)
        hold(third.last == second.last && third.base.index <= released, "too much was released")
    }

    /// Opens once more and gives back segments up to an entry; nil when the log has just come further than any log gets.
    ///
    /// A torn tail is no matter: remains of an old frame in a segment that is used again may look like one.
    private static func reopened(
        _ disk: SimulatedDisk, _ identity: LogIdentity, releasing index: LogIndex = 0
    ) -> EventLog.Recovery? {
        do {
            let (log, recovery) = try EventLog.open(on: disk, identity: identity, options: LogFolderMaker.options)
            defer { log.close() }
            checkEntries(log, recovery)
            try log.release(through: index)
            return recovery
        } catch {
            hold(error.code == .damaged && error.description.hasSuffix("no log gets so far"), "not opened again: \(error)")
            return nil
        }
    }
}
