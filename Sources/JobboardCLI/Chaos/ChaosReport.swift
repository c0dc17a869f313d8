import Simulation
import WireFormat

/// A run's summary, for people and for scripts.
struct ChaosReport {
    private static let shownFindings = 20

    let run: ChaosRun
    let ending: ChaosRun.Ending
    let notes: ChaosNotes
    let nodes: Int
    /// What could not be done here, and why; nil when all could.
    let limits: String?
    let keptFolder: String?

    var isGood: Bool { notes.findings.isEmpty }

    private var operations: Int { ending.outcomes.reduce(0) { $0 + $1.1.all } }

    var text: String {
        var table = TextTable([.init("OPERATION"), .init("OK", .right), .init("REFUSED", .right), .init("UNKNOWN", .right)])
        for (action, outcomes) in ending.outcomes {
            table.add([
                action.rawValue, Figures.grouped(outcomes.ok), Figures.grouped(outcomes.refused),
                Figures.grouped(outcomes.unknown),
            ])
        }
        var faults = TextTable([.init("FAULT"), .init("TIMES", .right)])
        for (count, times) in notes.counts { faults.add([count.rawValue, Figures.grouped(times)]) }
        for (shape, times) in notes.cuts where times > 0 { faults.add(["  " + shape.rawValue, Figures.grouped(times)]) }
        return "\n" + faults.text + "\n" + table.text + "\n" + lines.map { $0 + "\n" }.joined()
    }

    private var lines: [String] {
        let gap = ending.gap.endedAt.map { ", ending \(Figures.fixed(($0 - notes.start).inSeconds, 1)) s after the beginning" }
        let checked = ending.history
        var lines = [
            "run       \(nodes) nodes, \(run.clients) clients, seed \(run.seed), \(Int(run.length.inSeconds)) s with "
                + "\(Figures.grouped(operations)) operations",
            "gap       \(Figures.grouped(ending.gap.longest.inMilliseconds)) ms was the longest time without an acknowledged "
                + "write while a majority was connected\(gap ?? "")",
            "leaders   \(Figures.grouped(ending.elections)) seen, the last in term \(ending.lastTerm)",
            "boards    compared \(Figures.grouped(ending.comparedBoards)) times between nodes, equal at the end",
            "events    \(Figures.grouped(ending.positions)), told by watchers and all logs alike",
            "snapshots \(Figures.grouped(ending.snapshotsTaken)) taken, \(Figures.grouped(ending.snapshotsFetched)) fetched from peers",
            "history   \(Figures.grouped(checked.operations)) operations on \(Figures.grouped(checked.jobs)) jobs, "
                + "\(Figures.grouped(checked.unknown)) of unknown outcome: checked in "
                + "\(Figures.grouped(ending.checkTime.inMilliseconds)) ms; \(Figures.grouped(ending.checkedInLog)) answers found in the log",
            "harness   \(Figures.fixed(ending.processorTime.inSeconds, 1)) s of processor time, "
                + "\(Figures.bytes(ending.peakMemory)) of memory at most",
        ]
        lines += ending.logs.map { "log       \($0)" }
        if let limits { lines.append("limits    \(limits)") }
        if let keptFolder { lines.append("kept      \(keptFolder)") }
        let findings = notes.findings
        guard !findings.isEmpty else { return lines + ["verdict   GOOD"] }
        lines.append("verdict   BAD: \(findings.count) findings")
        lines += findings.prefix(Self.shownFindings).map { "          \($0)" }
        return lines
    }

    /// Words as the name of a JSON member.
    private static func key(_ words: String) -> String {
        String(words.lowercased().map { $0 == " " ? "_" : $0 }.filter { $0.isLetter || $0 == "_" })
    }

    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("good", isGood)
        writer.field("nodes", UInt64(nodes))
        writer.field("clients", UInt64(run.clients))
        writer.field("seed", run.seed)
        writer.field("milliseconds", UInt64(run.length.inMilliseconds))
        writer.field("limits", limits)
        writer.field("kept", keptFolder)
        writer.key("faults")
        writer.beginObject()
        for (count, times) in notes.counts { writer.field(Self.key(count.rawValue), UInt64(times)) }
        writer.endObject()
        writer.key("cuts")
        writer.beginObject()
        for (shape, times) in notes.cuts { writer.field(Self.key(shape.rawValue), UInt64(times)) }
        writer.endObject()
        writer.key("operations")
        writer.beginObject()
        for (action, outcomes) in ending.outcomes { write(action, outcomes, &writer) }
        writer.endObject()
        writer.field("longest_gap_ms", UInt64(ending.gap.longest.inMilliseconds))
        writer.field("elections", UInt64(ending.elections))
        writer.field("last_term", ending.lastTerm)
        writer.field("snapshots_taken", UInt64(ending.snapshotsTaken))
        writer.field("snapshots_fetched", UInt64(ending.snapshotsFetched))
        writer.field("events", UInt64(ending.positions))
        writer.field("jobs", UInt64(ending.history.jobs))
        writer.field("check_ms", UInt64(ending.checkTime.inMilliseconds))
        writer.field("processor_ms", UInt64(ending.processorTime.inMilliseconds))
        writer.field("peak_bytes", ending.peakMemory)
        writer.key("findings")
        writer.beginArray()
        for finding in notes.findings { writer.string(finding) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return writer.text
    }

    private func write(
        _ action: Simulation.Operation.Action, _ outcomes: HistoryRecorder.Outcomes, _ writer: inout JSONWriter
    ) {
        writer.key(action.rawValue)
        writer.beginObject()
        writer.field("ok", UInt64(outcomes.ok))
        writer.field("refused", UInt64(outcomes.refused))
        writer.field("unknown", UInt64(outcomes.unknown))
        writer.endObject()
    }
}
