import ArgumentParser
import Foundation
import Simulation
import WireFormat

/// `jobboard search`.
struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Visit every world that three nodes can come to inside small bounds.",
        discussion: """
            Where 'simulate' draws worlds by chance, this one leaves none out: the part of a node that agrees on the log is \
            copied at every branch, and each order in which messages arrive, are lost or come again, writes end, patience \
            runs out and processes crash is gone through. Worlds that differ by the names of nodes alone count as one.

            With --named, the bounds are those of a known neighbourhood; other options change them. Without it the search \
            begins with three empty nodes, and what is not asked for does not happen.

            Examples:
              jobboard search --named figure-8
              jobboard search --terms 1 --timeouts 2 --crashes 1 --messages 1
            """)

    @Option(
        help: ArgumentHelp(
            "Bounds that have a name: \(SearchBounds.named.keys.sorted().joined(separator: ", ")).", valueName: "name"))
    var named: String?

    @Option(help: ArgumentHelp("Leave out worlds in which a node reached a higher term, at most 6.", valueName: "number"))
    var terms: UInt64?

    @Option(help: ArgumentHelp("Commands that leaders append.", valueName: "number"))
    var proposals: Int?

    @Option(help: ArgumentHelp("Processes that crash and start again.", valueName: "number"))
    var crashes: Int?

    @Option(
        help: ArgumentHelp(
            "Disks that lose their votes and the end of their log, one after another; their nodes ask the others.",
            valueName: "number"))
    var losses: Int?

    @Option(help: ArgumentHelp("Messages that arrive and come once more.", valueName: "number"))
    var repeats: Int?

    @Option(help: ArgumentHelp("How often somebody's patience ends.", valueName: "number"))
    var timeouts: Int?

    @Option(help: ArgumentHelp("Heartbeats that are due.", valueName: "number"))
    var beats: Int?

    @Option(help: ArgumentHelp("Connections that break.", valueName: "number"))
    var cuts: Int?

    @Option(help: ArgumentHelp("Reads that come to nodes.", valueName: "number"))
    var reads: Int?

    @Option(
        help: ArgumentHelp(
            "Copies that a client sends of one payload, each addressed to a leader's term.", valueName: "number"))
    var copies: Int?

    @Option(help: ArgumentHelp("Messages on their way at one time; of more, some are lost.", valueName: "number"))
    var messages: Int?

    @Option(help: ArgumentHelp("The length of a path. Default: any.", valueName: "number"))
    var depth: Int?

    @Option(help: ArgumentHelp("Worlds to visit before giving up.", valueName: "number"))
    var states = 5_000_000

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        if let named, SearchBounds.named[named] == nil { throw ValidationError("no bounds have the name '\(named)'") }
        let counts = [proposals, crashes, losses, repeats, timeouts, beats, cuts, reads, copies, messages, depth, states]
        if counts.contains(where: { $0.map { $0 < 0 } ?? false }) { throw ValidationError("a bound can't be negative") }
        if !(0...200).contains(messages ?? 0) { throw ValidationError("--messages must be from 0 to 200") }
        if !(1...6).contains(terms ?? 1) { throw ValidationError("--terms must be from 1 to 6") }
    }

    private var bounds: SearchBounds {
        var bounds = named.flatMap { SearchBounds.named[$0] } ?? .nothing
        bounds.terms = terms ?? bounds.terms
        bounds.proposals = proposals ?? bounds.proposals
        bounds.crashes = crashes ?? bounds.crashes
        bounds.losses = losses ?? bounds.losses
        bounds.repeats = repeats ?? bounds.repeats
        bounds.timeouts = timeouts ?? bounds.timeouts
        bounds.beats = beats ?? bounds.beats
        bounds.cuts = cuts ?? bounds.cuts
        bounds.reads = reads ?? bounds.reads
        bounds.copies = copies ?? bounds.copies
        bounds.messages = messages ?? bounds.messages
        bounds.depth = depth ?? bounds.depth
        bounds.states = states
        return bounds
    }

    func run() async throws {
        var search = ExhaustiveSearch(bounds)
        let clock = ContinuousClock()
        let start = clock.now
        let report: SearchReport
        do {
            report = try search.run()
        } catch let failure as SearchFailure {
            for line in failure.description.split(separator: "\n") { Console.note(String(line)) }
            throw CommandFailure(.failed, code: "violation", failure.violation)
        }
        let seconds = (clock.now - start) / .seconds(1)
        try Console.write(json ? SearchText.json(report, seconds) : SearchText.table(report, seconds))
    }
}

/// Results of `search` for people and for scripts.
private enum SearchText {
    static func table(_ report: SearchReport, _ seconds: Double) -> String {
        var table = TextTable([.init("SEARCH"), .init("", .right)])
        table.add(["states", Figures.grouped(report.states)])
        table.add(["transitions", Figures.grouped(report.transitions)])
        table.add(["depth", Figures.grouped(report.depth)])
        table.add(["all inside the bounds", report.isExhausted ? "yes" : "no"])
        table.add(["violations", "0"])
        table.add(["seconds", Figures.fixed(seconds, 1)])
        for (name, count) in sights(report) { table.add([name, Figures.grouped(count)]) }
        return table.text
    }

    private static func sights(_ report: SearchReport) -> [(String, Int)] {
        [
            ("states left out by term", report.cutOff), ("states with a leader", report.led),
            ("states with two leaders", report.twiceLed), ("longest committed", report.longestCommitted),
            ("truncations", report.truncations), ("confirmed reads", report.confirmedReads),
            ("lossy crashes", report.lossyCrashes), ("returns after a loss", report.returns),
            ("states with a refused client", report.refused),
        ]
    }

    static func json(_ report: SearchReport, _ seconds: Double) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("states", UInt64(report.states))
        writer.field("transitions", UInt64(report.transitions))
        writer.field("depth", UInt64(report.depth))
        writer.field("exhausted", report.isExhausted)
        writer.field("violations", UInt64(0))
        writer.field("wall_ms", UInt64(seconds * 1000))
        for (name, count) in sights(report) {
            writer.field(name.replacingOccurrences(of: " ", with: "_"), UInt64(count))
        }
        writer.endObject()
        writer.endLine()
        return writer.text
    }
}
