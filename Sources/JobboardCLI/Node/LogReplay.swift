import Consensus
import EventLog
import Jobboard
import NodeEngine

/// The events of a data folder, by replaying its log. Changes nothing; the node may be running.
struct LogReplay {
    struct Summary {
        /// Entries replayed, and their bytes before and after compression, headers apart.
        var blocks: UInt64 = 0
        var rawBytes: UInt64 = 0
        var storedBytes: UInt64 = 0
        var events: UInt64 = 0
        var report: LogReport

        var damage: String? { report.damage?.description }

        /// For people.
        var lines: [String] {
            var lines = [
                "node \(report.identity.node) of cluster \(report.identity.cluster): \(Figures.grouped(events)) events in "
                    + "\(Figures.grouped(blocks)) blocks, \(Figures.bytes(rawBytes)) raw, \(Figures.bytes(storedBytes)) "
                    + "compressed; committed through \(report.commit), last entry \(report.last.index)"
            ]
            if let torn = report.torn {
                lines.append(
                    "torn tail: \(torn.frames) frames (\(torn.bytes) bytes) in \(torn.file) from offset \(torn.offset) on were "
                        + "being written when the node stopped; nobody was told of them")
            }
            if let damage { lines.append("damage: \(damage)") }
            return lines
        }
    }

    private let disk: PosixDisk
    private let report: LogReport

    /// Reads the log's frames once, to learn how far it is committed.
    init(folder: String) throws {
        disk = try PosixDisk(path: folder, access: .reader)
        report = try EventLog.scan(disk) { _ in false }
        guard report.base.index == 0 else {
            throw CommandFailure.failed("the log begins after entry \(report.base.index); what came before is in a snapshot")
        }
    }

    /// How far the log itself knows that it is committed.
    var commit: UInt64 { report.commit }

    /// Hands each entry's events to `visit`, in order, up to the entry `last`.
    func replay(through last: UInt64, _ visit: (_ entry: UInt64, _ events: [Event]) throws -> Void) throws -> Summary {
        var state = AppliedState()
        var summary = Summary(report: report)
        let opener = Opener { try? BlockCodec.payload(of: $0) }
        var failure: (any Error)?
        summary.report = try EventLog.scan(disk) { entry in
            guard entry.index <= last else { return false }
            do {
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
