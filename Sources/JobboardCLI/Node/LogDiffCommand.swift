import ArgumentParser
import Consensus
import EventLog

/// `jobboard log diff`.
struct LogDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Find the first entry where the logs of two nodes part.",
        discussion: """
            Compares the entries' digests; one digest names a whole history. Nothing is changed, and the nodes may be \
            running. Logs may differ in entries that are not committed yet. Exits with 1 when they part.

            Example:
              jobboard log diff node1-data node2-data
            """)

    @Argument(help: ArgumentHelp("A node's data folder.", valueName: "data-dir"))
    var first: String

    @Argument(help: ArgumentHelp("Another node's data folder.", valueName: "other-data-dir"))
    var second: String

    func run() async throws {
        let reports = try [first, second].map { folder in
            try EventLog.scan(PosixDisk(path: folder, access: .reader)) { _ in false }
        }
        let difference = try LogDifference(reports[0], reports[1], names: (first, second))
        try Console.write(difference.lines.joined(separator: "\n") + "\n")
        if difference.parting != nil { throw CommandFailure(.failed, code: "different", "the logs part") }
    }
}

/// How two logs of one cluster compare.
struct LogDifference {
    /// The first index where they have different entries.
    private(set) var parting: LogIndex?
    /// The last index up to which they are equal; nil when they have no index in common.
    private(set) var equalThrough: LogIndex?
    /// Indexes that could not be compared, because one of them lacks the entry.
    private(set) var unknown: UInt64 = 0
    private let reports: (LogReport, LogReport)
    private let names: (String, String)

    init(_ first: LogReport, _ second: LogReport, names: (String, String)) throws(CommandFailure) {
        guard first.identity.cluster == second.identity.cluster else {
            throw .failed("\(names.0) is of cluster \(first.identity.cluster), \(names.1) of \(second.identity.cluster)")
        }
        reports = (first, second)
        self.names = names
        let (from, through) = (max(first.base.index, second.base.index), min(first.last.index, second.last.index))
        guard from <= through else { return }
        for index in from...through {
            guard let one = first.summary(at: index), let other = second.summary(at: index) else {
                unknown += 1
                continue
            }
            guard one.digest == other.digest else {
                parting = index
                break
            }
            equalThrough = index
        }
    }

    /// For people.
    var lines: [String] {
        var lines: [String] = []
        if let parting {
            lines.append("the logs part at entry \(parting)\(equalThrough.map { ", equal up to entry \($0)" } ?? "")")
            lines += [describe(reports.0, names.0, parting), describe(reports.1, names.1, parting)]
        } else if let equalThrough {
            lines.append("equal up to entry \(equalThrough)\(rest)")
        } else {
            lines.append(
                "no entry in common: \(range(reports.0, names.0)), \(range(reports.1, names.1))")
        }
        if unknown > 0 { lines.append("\(Figures.grouped(unknown)) entries could not be compared: a log lacks them") }
        return lines
    }

    private var rest: String {
        let (one, other) = (reports.0.last.index, reports.1.last.index)
        if one == other { return "; neither has more" }
        let (name, more) = one > other ? (names.0, one - other) : (names.1, other - one)
        return "; \(name) has \(Figures.grouped(more)) more"
    }

    private func describe(_ report: LogReport, _ name: String, _ index: LogIndex) -> String {
        guard let entry = report.summary(at: index) else { return "  \(name): nothing is known" }
        let committed = index <= report.commit ? "committed" : "not known to be committed"
        return "  \(name): term \(entry.term), digest \(entry.digest), \(committed)"
    }

    private func range(_ report: LogReport, _ name: String) -> String {
        report.last.index == report.base.index
            ? "\(name) has none behind entry \(report.base.index)"
            : "\(name) has \(report.base.index + 1) to \(report.last.index)"
    }
}
