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

    @Option(help: ArgumentHelp("Sizes of clusters, one sweep after another.", valueName: "list"))
    var nodes = ClusterSizes([1, 3, 5])

    @Option(help: ArgumentHelp("Where to write the clients' history of the first seed that fails.", valueName: "file"))
    var history: String?

    @Flag(help: "Fail when a kind of fault or a state was never met.")
    var requireAll = false

    @Flag(help: "Print the reports as JSON, one line for each size of cluster.")
    var json = false

    func validate() throws {
        if !(1...1_000_000_000).contains(seeds) { throw ValidationError("--seeds must be from 1 to 1000000000") }
        if seed.addingReportingOverflow(seeds).overflow { throw ValidationError("--seed is too large") }
        if milliseconds != nil, steps != nil { throw ValidationError("--milliseconds and --steps exclude each other") }
        if !(1...86_400_000).contains(milliseconds ?? 1) { throw ValidationError("--milliseconds must be from 1 to 86400000") }
        if !(1...1_000_000_000).contains(steps ?? 1) { throw ValidationError("--steps must be from 1 to 1000000000") }
    }

    func run() async throws {
        CrashNote.install()
        var sweeps: [SimulationSweep] = []
        for size in nodes.sizes {
            let clock = ContinuousClock()
            let start = clock.now
            let sweep = try sweep(size, isFirstFailure: sweeps.allSatisfy { $0.failures.isEmpty })
            let seconds = (clock.now - start) / .seconds(1)
            let first = sweeps.isEmpty
            try Console.write(
                json
                    ? SimulateReport.json(sweep, first: seed, seconds)
                    : (first ? "" : "\n") + SimulateReport.table(sweep, seconds))
            sweeps.append(sweep)
        }
        try judge(sweeps)
    }

    private func sweep(_ size: Int, isFirstFailure: Bool) throws -> SimulationSweep {
        let length: SimulatedCluster.Length = steps.map { .steps($0) } ?? .milliseconds(milliseconds ?? 15_000)
        var sweep = SimulationSweep(nodes: size, length: length)
        for number in seed..<seed + seeds {
            CrashNote.set(seed: number, nodes: size)
            guard let failure = sweep.run(seed: number) else { continue }
            for line in SimulateReport.lines(failure) { Console.note(line) }
            if isFirstFailure, sweep.failures.count == 1, let history { try write(failure.history, to: history) }
        }
        return sweep
    }

    private func judge(_ sweeps: [SimulationSweep]) throws {
        let broken = sweeps.reduce(0) { $0 + $1.failures.count }
        guard broken == 0 else {
            let runs = sweeps.reduce(0) { $0 + $1.runs }
            throw CommandFailure(.failed, code: "violation", "\(broken) of \(runs) seeds broke an invariant")
        }
        guard requireAll, sweeps.contains(where: { !$0.neverMet.isEmpty }) else { return }
        throw CommandFailure(.failed, code: "never_met", "some kinds of faults or states were never met")
    }

    private func write(_ operations: [Simulation.Operation], to path: String) throws {
        var writer = JSONWriter()
        for operation in operations { HistoryText.append(operation, to: &writer) }
        guard FileManager.default.createFile(atPath: path, contents: Data(writer.bytes)) else {
            throw CommandFailure.failed("can't write \(path)")
        }
    }
}

/// A list such as `1,3,5`.
struct ClusterSizes: ExpressibleByArgument, CustomStringConvertible {
    var sizes: [Int]

    init(_ sizes: [Int]) { self.sizes = sizes }

    init?(argument: String) {
        sizes = []
        for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let size = Int(word), (1...15).contains(size) else { return nil }
            sizes.append(size)
        }
    }

    var description: String { sizes.map(String.init).joined(separator: ",") }
    var defaultValueDescription: String { description }
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
