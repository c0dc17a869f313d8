import ArgumentParser
import Foundation
import Simulation
import WireFormat

/// `jobboard simulate`.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run whole clusters over a simulated disk, network and clock, and break them.",
        discussion: """
            Each seed is a world of its own: which faults there are and how often, what clients do, what is lost, late or
            torn. After a while everything is healed; then the cluster has to agree, and everything acknowledged must be
            there. Invariants are checked at every step, and what the clients saw goes to the linearizability checker.

            The same seed gives the same run anywhere; the hash in the report proves it. A seed that fails is run again
            with as few faults as still break something, and its last events are printed.

            Examples:
              jobboard simulate --seeds 1000
              jobboard simulate --seed 4711 --nodes 5 --milliseconds 60000
            """)

    @Option(help: ArgumentHelp("The first seed.", valueName: "number"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("How many seeds, one after another.", valueName: "number"))
    var seeds: UInt64 = 100

    @Option(help: ArgumentHelp("How long the phase with faults is, in simulated time. Default: 15000.", valueName: "number"))
    var milliseconds: UInt64?

    @Option(help: ArgumentHelp("The same in steps instead.", valueName: "number"))
    var steps: UInt64?

    @Option(help: ArgumentHelp("The size of the cluster.", valueName: "number"))
    var nodes = 3

    @Option(help: ArgumentHelp("Where to write the clients' history of the first seed that fails.", valueName: "file"))
    var history: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        if !(1...1_000_000_000).contains(seeds) { throw ValidationError("--seeds must be from 1 to 1000000000") }
        if seed.addingReportingOverflow(seeds).overflow { throw ValidationError("--seed is too large") }
        if milliseconds != nil, steps != nil { throw ValidationError("--milliseconds and --steps exclude each other") }
        if !(1...86_400_000).contains(milliseconds ?? 1) { throw ValidationError("--milliseconds must be from 1 to 86400000") }
        if !(1...1_000_000_000).contains(steps ?? 1) { throw ValidationError("--steps must be from 1 to 1000000000") }
        if !(1...15).contains(nodes) { throw ValidationError("--nodes must be from 1 to 15") }
    }

    func run() async throws {
        let length: SimulatedCluster.Length = steps.map { .steps($0) } ?? .milliseconds(milliseconds ?? 15_000)
        var sweep = SimulationSweep(nodes: nodes, length: length)
        let clock = ContinuousClock()
        let start = clock.now
        CrashNote.install()
        for number in seed..<seed + seeds {
            CrashNote.set(seed: number, nodes: nodes)
            guard let failure = sweep.run(seed: number) else { continue }
            for line in SimulateReport.lines(failure) { Console.note(line) }
            if sweep.failures.count == 1, let history { try write(failure.history, to: history) }
        }
        let seconds = (clock.now - start) / .seconds(1)
        try Console.write(json ? SimulateReport.json(sweep, first: seed, seconds) : SimulateReport.table(sweep, seconds))
        guard sweep.failures.isEmpty else {
            throw CommandFailure(.failed, code: "violation", "\(sweep.failures.count) of \(sweep.runs) seeds broke an invariant")
        }
    }

    private func write(_ operations: [Simulation.Operation], to path: String) throws {
        var writer = JSONWriter()
        for operation in operations { HistoryText.append(operation, to: &writer) }
        guard FileManager.default.createFile(atPath: path, contents: Data(writer.bytes)) else {
            throw CommandFailure.failed("can't write \(path)")
        }
    }
}

/// Invariants inside the nodes stop the process where they break. Then at least the seed is said.
private enum CrashNote {
    private static let capacity = 128
    nonisolated(unsafe) private static let text = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    nonisolated(unsafe) private static var count = 0

    static func set(seed: UInt64, nodes: Int) {
        let line = Array("jobboard: an invariant of a node broke in seed \(seed) of \(nodes) nodes\n".utf8.prefix(capacity))
        text.update(from: line, count: line.count)
        count = line.count
    }

    /// A handler may do nothing but system calls.
    static func install() {
        for number in [SIGILL, SIGTRAP] {
            signal(number) { number in
                _ = Foundation.write(STDERR_FILENO, CrashNote.text, CrashNote.count)
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }
}

/// Results of `simulate` for people and for scripts.
private enum SimulateReport {
    static func lines(_ failure: SimulationFailure) -> [String] {
        var lines = ["seed \(failure.seed) of \(failure.nodes) nodes: \(failure.violation)"]
        lines.append("  after \(failure.milliseconds) simulated ms and \(failure.steps) steps")
        let faults = failure.neededFaults.isEmpty ? "no faults at all" : failure.neededFaults.joined(separator: ", ")
        lines.append("  with \(faults); the last events:")
        return lines + failure.lastEvents.map { "    " + $0 }
    }

    private static func hoursPerMinute(_ sweep: SimulationSweep, _ seconds: Double) -> Double {
        Double(sweep.simulatedMilliseconds) / 3_600_000 / max(seconds, 0.001) * 60
    }

    private static func hash(_ sweep: SimulationSweep) -> String {
        let digits = String(sweep.hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func table(_ sweep: SimulationSweep, _ seconds: Double) -> String {
        var figures = TextTable([.init("RUN"), .init("", .right)])
        figures.add(["nodes", "\(sweep.nodes)"])
        figures.add(["seeds", Figures.grouped(sweep.runs)])
        figures.add(["violations", Figures.grouped(sweep.failures.count)])
        figures.add(["steps", Figures.grouped(sweep.steps)])
        figures.add(["simulated hours", Figures.fixed(Double(sweep.simulatedMilliseconds) / 3_600_000, 1)])
        figures.add(["simulated hours a minute", Figures.fixed(hoursPerMinute(sweep, seconds), 1)])
        figures.add(["requests acknowledged", Figures.grouped(sweep.acknowledged)])
        figures.add(["operations checked", Figures.grouped(sweep.checkedOperations)])
        figures.add(["slowest healing, ms", Figures.grouped(sweep.slowestHealing)])
        figures.add(["hash", hash(sweep)])
        return figures.text + "\n" + sights(sweep, "INJECTED") { $0.isInjected } + "\n" + sights(sweep, "SEEN") { !$0.isInjected }
    }

    private static func sights(_ sweep: SimulationSweep, _ title: String, _ belongs: (Sight) -> Bool) -> String {
        var table = TextTable([.init(title), .init("TIMES", .right), .init("IN RUNS", .right)])
        for sight in Sight.allCases where belongs(sight) {
            let name = sight.rawValue.replacingOccurrences(of: "_", with: " ")
            table.add([name, Figures.grouped(sweep.sights[sight]), Figures.grouped(sweep.runsWith[sight])])
        }
        return table.text
    }

    static func json(_ sweep: SimulationSweep, first: UInt64, _ seconds: Double) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("nodes", UInt64(sweep.nodes))
        writer.field("first_seed", first)
        writer.field("seeds", sweep.runs)
        writer.field("steps", sweep.steps)
        writer.field("simulated_ms", sweep.simulatedMilliseconds)
        writer.field("wall_ms", UInt64(seconds * 1000))
        writer.field("acknowledged", UInt64(sweep.acknowledged))
        writer.field("checked_operations", UInt64(sweep.checkedOperations))
        writer.field("slowest_healing_ms", sweep.slowestHealing)
        writer.field("hash", hash(sweep))
        for (key, counts) in [("times", sweep.sights), ("in_runs", sweep.runsWith)] {
            writer.key(key)
            writer.beginObject()
            for sight in Sight.allCases { writer.field(sight.rawValue, counts[sight]) }
            writer.endObject()
        }
        writer.key("violations")
        writer.beginArray()
        for failure in sweep.failures { write(failure, &writer) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return writer.text
    }

    private static func write(_ failure: SimulationFailure, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("seed", failure.seed)
        writer.field("violation", failure.violation)
        writer.field("simulated_ms", failure.milliseconds)
        writer.field("steps", failure.steps)
        writer.key("needed_faults")
        writer.beginArray()
        for fault in failure.neededFaults { writer.string(fault) }
        writer.endArray()
        writer.key("last_events")
        writer.beginArray()
        for event in failure.lastEvents { writer.string(event) }
        writer.endArray()
        writer.endObject()
    }
}
