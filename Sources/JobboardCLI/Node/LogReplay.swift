import Consensus
import EventLog
import Jobboard
import NodeEngine
import NodeStorage

/// The events of a data folder, by replaying its log: from the first entry on or, where the log begins later, from the oldest
/// snapshot that it goes on from. Changes nothing; the node may be running.
struct LogReplay {
    struct Summary {
        /// Entries replayed, and their bytes before and after compression, headers apart.
        var blocks: UInt64 = 0
        var rawBytes: UInt64 = 0
        var storedBytes: UInt64 = 0
        var events: UInt64 = 0
        /// What the replay began with: the entry before the first one replayed, and the last event up to there.
        var startEntry: LogIndex
        var startPosition: UInt64
        var report: LogReport

        var damage: String? { report.damage?.description }

        /// For people.
        var lines: [String] {
            var lines = [
                "node \(report.identity.node) of cluster \(report.identity.cluster): \(Figures.grouped(events)) events in "
                    + "\(Figures.grouped(blocks)) blocks, \(Figures.bytes(rawBytes)) raw, \(Figures.bytes(storedBytes)) "
                    + "compressed; committed through \(report.commit), last entry \(report.last.index)"
            ]
            if startEntry > 0 {
                lines.append(
                    "begins behind the snapshot of entry \(startEntry), and so behind event \(startPosition); what came before is "
                        + "kept no longer")
            }
            if let torn = report.torn {
                lines.append(
                    "torn tail: \(torn.frames) frames (\(torn.bytes) bytes) in \(torn.file) from offset \(torn.offset) on were "
                        + "being written when the node stopped; nobody was told of them")
            }
            if let damage { lines.append("damage: \(damage)") }
            return lines
        }
    }

    private let disk: any Disk
    private let report: LogReport
    private let start: AppliedState

    init(folder: String) throws {
        try self.init(disk: try PosixDisk(path: folder, access: .reader))
    }

    /// Reads the log's frames once, to learn where it begins and how far it is committed.
    init(disk: any Disk) throws {
        self.disk = disk
        report = try EventLog.scan(disk) { _ in false }
        start = try Self.start(of: report, on: disk)
    }

    /// The state that the first entry to be replayed goes on from.
    private static func start(of report: LogReport, on disk: any Disk) throws -> AppliedState {
        if report.base.index == 0 { return AppliedState() }
        let desk = SnapshotDesk(on: disk, settings: EngineSettings(cluster: report.identity.cluster, clientAddresses: [:]))
        let (snapshot, damaged) = try desk.oldest(fitting: report.summary(at:))
        guard let snapshot else {
            let why = damaged.isEmpty ? "no snapshot reaches there" : damaged.joined(separator: "; ")
            throw CommandFailure(
                .failed, code: "damaged", "the log begins behind entry \(report.base.index), and \(why)")
        }
        return snapshot.state
    }

    /// How far the log itself knows that it is committed.
    var commit: UInt64 { report.commit }

    /// Hands each entry's events to `visit`, in order, up to the entry `last`.
    func replay(through last: UInt64, _ visit: (_ entry: UInt64, _ events: [Event]) throws -> Void) throws -> Summary {
        var state = start
        var summary = Summary(
            startEntry: start.index, startPosition: start.history.nextPosition - 1, report: report)
        let opener = Opener { try? BlockCodec.payload(of: $0) }
        var failure: (any Error)?
        summary.report = try EventLog.scan(disk, from: start.index + 1) { entry in
            guard entry.index <= last else { return false }
            do {
                guard entry.index == state.index + 1 else {
                    throw CommandFailure.failed("the log was compacted while it was read; try again")
                }
                let events = try state.replay(entry, opener: opener)
                summary.blocks += 1
                summary.rawBytes += UInt64(BlockCodec.rawByteCount(of: entry))
                summary.storedBytes += UInt64(entry.block.count - BlockCodec.headerBytes)
                summary.events += UInt64(events.count)
                try visit(entry.index, events)
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        return summary
    }
}
