import Jobboard
import WireFormat

/// What the demo came to.
struct DemoReport {
    private static let shownFindings = 20
    private static let board = "default"

    let verdict: DemoVerdict
    private let ending: DemoPlay.Ending
    private let summary: LogReplay.Summary
    private let keptFolder: String?
    private let nodes: Int

    /// Reads every node's log and judges.
    init(_ ending: DemoPlay.Ending, _ stage: DemoStage) throws {
        var logs: [DemoVerdict.NodeLog] = []
        var summaries: [LogReplay.Summary] = []
        for node in 1...UInt64(stage.nodeCount) {
            let (log, summary) = try Self.read(stage.dataFolder(ofNode: node), node, through: ending.commit)
            logs.append(log)
            summaries.append(summary)
        }
        self.ending = ending
        verdict = DemoVerdict(posted: ending.posted, records: ending.records, logs: logs)
        summary = summaries[0]
        keptFolder = stage.keptFolder
        nodes = stage.nodeCount
    }

    private static func read(
        _ folder: String, _ node: UInt64, through commit: UInt64
    ) throws -> (DemoVerdict.NodeLog, LogReplay.Summary) {
        var log = DemoVerdict.NodeLog(node: node)
        let summary = try LogReplay(folder: folder).replay(through: commit) { _, events in
            for event in events {
                var writer = JSONWriter()
                writer.write(event)
                log.add(event, text: writer.bytes, board: board)
            }
        }
        return (log, summary)
    }

    func text(_ narrator: Narrator) -> String {
        let rate = Double(ending.posted.count) / max(0.001, ending.workTime.inSeconds)
        let ratio = Double(summary.rawBytes) / Double(max(1, summary.storedBytes))
        let reigns = ending.reigns.map { "node \($0.node) in term \($0.term) from \(narrator.seconds($0.since)) s" }
        var lines = [
            "",
            "jobs      \(Figures.grouped(ending.posted.count)) posted, claimed and consumed in "
                + "\(Figures.fixed(ending.workTime.inSeconds, 1)) s: \(Figures.grouped(Int(rate))) lives/s, the fail-over included",
            "gap       \(Self.milliseconds(ending.gap.gapAfterKill)) was the longest time without an acknowledgement after the "
                + "leader's death, \(Self.milliseconds(ending.gap.longestGap)) over all (\(Figures.grouped(ending.gap.acknowledged)) probes)",
            "leaders   \(reigns.joined(separator: "; "))",
            "log       \(Figures.grouped(summary.events)) events in \(Figures.grouped(summary.blocks)) blocks; "
                + "\(Figures.bytes(summary.rawBytes)) raw, \(Figures.bytes(summary.storedBytes)) compressed "
                + "(\(Figures.fixed(ratio, 1)) : 1)",
        ]
        lines += verdictLines
        if let keptFolder { lines.append("kept      \(keptFolder)") }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func milliseconds(_ duration: Duration) -> String {
        "\(Figures.grouped(duration.inMilliseconds)) ms"
    }

    private var verdictLines: [String] {
        guard !verdict.isGood else {
            return [
                "verdict   GOOD: every job was consumed exactly once, by what the workers were told "
                    + "and by the \(nodes == 1 ? "node's log" : "logs of all \(nodes) nodes, which are equal")"
            ]
        }
        var lines = ["verdict   BAD: \(Figures.grouped(verdict.findings.count)) findings"]
        lines += verdict.findings.prefix(Self.shownFindings).map { "          \($0)" }
        if verdict.findings.count > Self.shownFindings { lines.append("          …") }
        return lines
    }
}
