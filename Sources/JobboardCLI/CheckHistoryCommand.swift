import ArgumentParser
import Simulation
import WireFormat

/// `jobboard check-history`.
struct CheckHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-history",
        abstract: "Check whether what clients saw can be explained by one board.",
        discussion: """
            Reads one operation a line, as JSON: what a client asked, when it asked and when it was answered, and what the
            answer was. Looks for an order in which each took effect at one moment between the two; what was never answered
            may have happened at any time, or not at all. Prints a line for each violation and ends with 1 if there is one.

            A lease may end by itself at any time, unless --clock-slack says how far clocks can have been apart.

            Example:
              jobboard check-history history.jsonl --clock-slack 2000
              jobboard check-history client-*.jsonl
            """)

    @Argument(help: ArgumentHelp("The history, or - for standard input; several are parts of one.", valueName: "file"))
    var files: [String]

    @Option(help: ArgumentHelp("No lease ends earlier than it says by more than so many milliseconds.", valueName: "number"))
    var clockSlack: UInt64?

    func run() async throws {
        var history: [Simulation.Operation] = []
        for file in files { history += try await HistoryFile.read(file) }
        var checker = LinearizabilityChecker(clockSlack: clockSlack.map { $0.multipliedReportingOverflow(by: 1000).partialValue })
        let verdict = checker.check(history)
        var text = ""
        for violation in verdict.violations { text += "\(violation)\n" }
        for job in verdict.undecided { text += "job \(job): too many orders to try\n" }
        text += "\(Figures.grouped(verdict.operations)) operations on \(Figures.grouped(verdict.jobs)) jobs, "
        text += "\(Figures.grouped(verdict.unknown)) of unknown outcome: "
        try Console.write(text + (verdict.isGood ? "linearizable\n" : "NOT shown to be linearizable\n"))
        guard verdict.isGood else {
            let count = verdict.violations.count
            let what = count > 0 ? "\(count) violations" : "\(verdict.undecided.count) jobs undecided"
            throw CommandFailure(.failed, code: count > 0 ? "violation" : "undecided", what)
        }
    }
}
