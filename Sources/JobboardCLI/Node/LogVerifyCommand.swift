import ArgumentParser
import Consensus
import EventLog
import NodeStorage

/// `jobboard log verify`.
struct LogVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every byte of a data folder that counts.",
        discussion: """
            Reads every frame and every block, the chain of entries from the last one down, the blocks that were fetched \
            from other nodes, and every snapshot. Nothing is changed, and the node may be running.

            Exits with 1 when something that was acknowledged is missing or a snapshot is damaged, with a line for each. A \
            running node fetches what it lacks from the others. Rot that cost nothing, because it was repaired or because its bytes are \
            known otherwise, is listed too.

            Example:
              jobboard log verify jobboard-data
            """)

    @Argument(help: ArgumentHelp("The node's data folder.", valueName: "data-dir"))
    var folder: String

    func run() async throws {
        let check = try LogCheck(disk: PosixDisk(path: folder, access: .reader))
        try Console.write(check.lines.joined(separator: "\n") + "\n")
        guard !check.isWhole else { return }
        throw CommandFailure(
            .failed, code: "damaged", check.report.damage == nil ? "a snapshot is damaged" : "the log lacks what was acknowledged"
        )
    }
}

/// Everything in a data folder, checked.
struct LogCheck {
    private(set) var report: LogReport
    /// Entries whose blocks were read and verified.
    private(set) var entries: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    private(set) var snapshots: [SnapshotCheck]
    private let concerned: ConcernedJobs?

    init(disk: any Disk) throws {
        var (entries, bytes): (UInt64, UInt64) = (0, 0)
        report = try EventLog.scan(disk, pastHoles: true) { entry in
            entries += 1
            bytes += UInt64(entry.block.count)
            return true
        }
        (self.entries, self.bytes) = (entries, bytes)
        snapshots = try Self.snapshots(on: disk, of: report)
        concerned = try ConcernedJobs(of: report, on: disk)
    }

    /// Each is read, and must belong to the log where that tells.
    private static func snapshots(on disk: any Disk, of report: LogReport) throws -> [SnapshotCheck] {
        let store = SnapshotStore(
            on: disk, cluster: BlockCodec.clusterTag(report.identity.cluster), chunkBytes: SnapshotContents.usualChunkBytes)
        var checks: [SnapshotCheck] = []
        for index in try store.indexes() {
            // One that is removed meanwhile, beside a running node, is not there.
            guard var check = try? store.check(index) else { continue }
            if let known = report.summary(at: index), let last = check.snapshot?.last, last != known {
                check.faults.append("the snapshot up to entry \(index) is of another log")
            }
            checks.append(check)
        }
        return checks
    }

    /// Nothing that was acknowledged is missing, and every snapshot is what it was.
    var isWhole: Bool { report.damage == nil && snapshots.allSatisfy(\.faults.isEmpty) }

    /// For people; the first line says what was checked.
    var lines: [String] {
        let owner = "node \(report.identity.node) of cluster \(report.identity.cluster)"
        let patches =
            report.patches == 0
            ? "" : ", \(counted(report.patchedBlocks, "repaired block")) in \(counted(report.patches, "patch", "patches"))"
        var lines = [
            "\(owner): checked \(counted(report.frames, "frame")) in \(counted(report.segments, "segment")), "
                + "\(counted(entries, "entry", "entries")) (\(Figures.bytes(bytes)))\(patches); last entry "
                + "\(report.last.index), committed through \(report.commit)"
        ]
        lines += snapshots.filter(\.faults.isEmpty).map {
            "snapshot up to entry \($0.index): \(counted($0.chunks, "chunk")) (\(Figures.bytes($0.bytes)))"
        }
        lines += missing
        lines += snapshots.flatMap(\.faults).map { "damaged: \($0)" }
        lines += report.rotten.map {
            "rot: \($0.file): \(counted($0.frames, "frame")) behind offset \($0.offset) can't be read"
        }
        if !report.isSuperblockWhole { lines.append("rot: a copy of the superblock can't be read") }
        if let torn = report.torn {
            lines.append("torn tail: \(torn.bytes) bytes in \(torn.file) from offset \(torn.offset) on; nobody was told of them")
        }
        lines.append(isWhole ? "nothing is missing" : "DAMAGED")
        return lines
    }

    private var missing: [String] {
        guard let damage = report.damage else { return [] }
        var lines = damage.entries.map { range in
            range.count == 1
                ? "missing: entry \(range.lowerBound)"
                : "missing: entries \(range.lowerBound) to \(range.upperBound)"
        }
        if let from = damage.lostFrom { lines.append("missing: entries from \(from) on; how many can't be told") }
        if damage.isHardStateLost { lines.append("missing: the newest term and vote") }
        if let concerned { lines.append("concerned: \(concerned.description)") }
        return lines
    }

    private func counted(_ count: some BinaryInteger, _ one: String, _ many: String? = nil) -> String {
        "\(Figures.grouped(count)) \(count == 1 ? one : many ?? one + "s")"
    }
}
