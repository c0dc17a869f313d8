import ArgumentParser
import Jobboard
import JobboardClient

/// `jobboard bench`.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how many jobs a cluster takes through their lives.",
        discussion: """
            A life is a post, a claim of that job and its consume, one after the other. So many are in flight at a time, \
            each begun when the one before has ended. After a time of warming up it is measured, as often as --repeat \
            says: figures are medians of the repetitions, and RANGE is the lowest and highest. The jobs go to a board of \
            their own.

            Costs are those of a job: syncs and log entries of all nodes, bytes of the log before compression and after, \
            and processor time and memory of the nodes that run on this machine.

            --failover measures something else: with so many lives in flight the leader gets SIGKILL, again and again, and \
            the longest time without an acknowledgement is taken; the killed node is started again each time.

            Examples:
              jobboard bench --config cluster.json --concurrency 1,64 --seconds 10
              jobboard bench --nodes-own 3 --repeat 3 --mode claim-next
              jobboard bench --nodes-own 3 --failover 20 --concurrency 16
            """)

    @Option(
        help: ArgumentHelp("What to measure: \(BenchMode.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "mode"))
    var mode = BenchMode.life

    @Option(help: ArgumentHelp("Rounds in flight, one measurement each.", valueName: "numbers"))
    var concurrency: NumberList = NumberList(numbers: [1, 16, 64, 256])

    @Option(help: ArgumentHelp("Clients, with a connection each.", valueName: "number"))
    var connections = 1

    @Option(help: ArgumentHelp("The size of each job's details.", valueName: "bytes"))
    var detailsBytes = 200

    @Option(help: ArgumentHelp("How long to measure each; 5 unless said.", valueName: "number"))
    var seconds: Double?

    @Option(help: ArgumentHelp("How long to go before measuring; 1 unless said.", valueName: "number"))
    var warmUp: Double?

    @Option(name: .customLong("repeat"), help: ArgumentHelp("How often to measure each.", valueName: "number"))
    var repetitions = 1

    @Option(
        help: ArgumentHelp("End each measurement after so many rounds instead, without a limit of time.", valueName: "number"))
    var jobs: Int?

    @Option(help: ArgumentHelp("Jobs in a round of the batch mode.", valueName: "number"))
    var batch = 100

    @Option(help: ArgumentHelp("Watchers in the watch mode.", valueName: "number"))
    var watchers = 8

    @Option(help: ArgumentHelp("Jobs to put on the board before, which stay there.", valueName: "number"))
    var held = 0

    @Option(help: ArgumentHelp("Kill the leader so many times instead, and measure the gaps.", valueName: "number"))
    var failover: Int?

    @Flag(help: "Print the results as JSON.")
    var json = false

    @Option(help: ArgumentHelp("The board to use.", valueName: "name"))
    var board = "bench"

    @Option(
        help: ArgumentHelp("Start a cluster of so many nodes on this machine, and remove it afterwards.", valueName: "number"))
    var nodesOwn: Int?

    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        if !(1...1024).contains(connections) { throw ValidationError("--connections must be from 1 to 1024") }
        if !(16...262_144).contains(detailsBytes) { throw ValidationError("--details-bytes must be from 16 to 262144") }
        if let seconds, !(0.1...3600).contains(seconds) { throw ValidationError("--seconds must be from 0.1 to 3600") }
        if let warmUp, !(0...3600).contains(warmUp) { throw ValidationError("--warm-up must be from 0 to 3600") }
        if !(1...1000).contains(repetitions) { throw ValidationError("--repeat must be from 1 to 1000") }
        if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1") }
        if !(1...1000).contains(batch) { throw ValidationError("--batch must be from 1 to 1000") }
        if !(1...256).contains(watchers) { throw ValidationError("--watchers must be from 1 to 256") }
        if !(0...10_000_000).contains(held) { throw ValidationError("--held must be from 0 to 10000000") }
        if let failover {
            if !(1...1000).contains(failover) { throw ValidationError("--failover must be from 1 to 1000") }
            if nodesOwn ?? 1 < 3 { throw ValidationError("--failover kills nodes of its own: it takes --nodes-own 3 or 5") }
            if mode != .life || held > 0 || jobs != nil || repetitions > 1 || seconds != nil || warmUp != nil {
                throw ValidationError("--failover excludes --mode, --held, --jobs, --repeat, --seconds and --warm-up")
            }
        }
        if let nodesOwn {
            if ![1, 3, 5].contains(nodesOwn) { throw ValidationError("--nodes-own must be 1, 3 or 5") }
            if cluster.nodes != nil || cluster.config != nil {
                throw ValidationError("--nodes-own excludes --nodes and --config")
            }
        }
    }

    func run() async throws {
        let bench = self
        guard let text = try await Interruption.cancelling({ try await bench.perform() }) else {
            throw CommandFailure.failed("interrupted")
        }
        try Console.write(text)
    }

    /// Whatever happens, no node of ours is left running.
    private func perform() async throws -> String {
        guard let nodesOwn else {
            let (addresses, name) = try cluster.addresses()
            return try await measure(addresses, cluster: name, nodes: [], folder: ".")
        }
        let own = try DemoStage(nodes: nodesOwn, data: nil, isKept: false)
        do {
            let nodes = try (1...nodesOwn).map { try own.startNode(UInt64($0)) }
            let text =
                if let failover {
                    try await measureFailover(failover, on: own, nodes)
                } else {
                    try await measure(own.addresses, cluster: "demo", nodes: nodes, folder: own.folder)
                }
            await own.clear()
            return text
        } catch {
            await own.clear()
            throw error
        }
    }

    private func measureFailover(_ kills: Int, on own: DemoStage, _ first: [DemoProcess]) async throws -> String {
        let machine = Machine.look(syncsIn: own.folder)
        let stage = try BenchStage(
            own.addresses, cluster: "demo", nodes: first, board: board, connections: connections, timeout: cluster.timeout)
        do {
            try await stage.awaken()
            var nodes = first
            var series: [(inFlight: Int, falls: [FailoverBench.Fall])] = []
            let steal = Machine.stolen()
            for inFlight in concurrency.numbers {
                Console.note("killing the leader \(Figures.grouped(kills)) times, \(inFlight) in flight")
                let bench = FailoverBench(kills: kills, inFlight: inFlight, details: BenchDetails.make(detailsBytes))
                series.append((inFlight, try await bench.run(on: stage, own, &nodes)))
            }
            await stage.shutdown()
            let stolen = Machine.stolen().share(since: steal)
            let report = FailoverReport(machine: machine, nodes: nodes.count, series: series, stolen: stolen)
            return json ? report.json : report.table
        } catch {
            await stage.shutdown()
            throw error
        }
    }

    private func measure(
        _ addresses: [String], cluster name: String, nodes: [DemoProcess], folder: String
    ) async throws -> String {
        let machine = Machine.look(syncsIn: folder)
        let stage = try BenchStage(
            addresses, cluster: name, nodes: nodes, board: board, connections: connections, timeout: cluster.timeout)
        do {
            try await stage.awaken()
            let series = try await measure(on: stage)
            await stage.shutdown()
            let report = BenchReport(machine: machine, series: series, command: self)
            return json ? report.json : report.table
        } catch {
            await stage.shutdown()
            throw error
        }
    }

    private func measure(on stage: BenchStage) async throws -> [BenchSeries] {
        let details = BenchDetails.make(detailsBytes)
        if held > 0 { Console.note("posting \(Figures.grouped(held)) jobs") }
        try await stage.fill(held, details: details)
        let target =
            mode.commands(batch: batch) > 0
            ? nil : try await stage.clients[0].post(NewJob(name: "bench", details: details, priority: .veryLow)).job.id
        let watch = mode == .watch ? BenchWatch(watchers: watchers, operation: mode.operations.count - 1) : nil
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for place in 0..<watchers {
                guard let watch else { break }
                let client = stage.clients[place % stage.clients.count]
                group.addTask { try await watch.run(client) }
            }
            defer { group.cancelAll() }
            var series: [BenchSeries] = []
            for inFlight in concurrency.numbers {
                var results: [BenchResult] = []
                for repetition in 1...repetitions {
                    Console.note(
                        "measuring \(inFlight) in flight" + (repetitions > 1 ? ", \(repetition) of \(repetitions)" : ""))
                    let level = BenchLevel(
                        mode: mode, inFlight: inFlight, batch: batch, details: details, warmUp: .seconds(warmUp ?? 1),
                        limit: jobs.map { .rounds($0) } ?? .time(.seconds(seconds ?? 5)))
                    results.append(try await level.run(on: stage, watch: watch, target: target))
                }
                series.append(BenchSeries(mode: mode, inFlight: inFlight, results: results))
            }
            return series
        }
    }
}
