import ArgumentParser

/// `jobboard chaos`.
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Run a real cluster on this machine, break it in every way for minutes, and check what clients saw.",
        discussion: """
            Nodes are processes of this program, each in a network namespace and on a small disk (tmpfs) of its own. They are \
            killed, stopped and continued, started again and again, cut off from each other and from clients (both ways, one \
            way, UDP or TCP alone, in two parts, with one node between them), their disks fill up, and they are left behind \
            until only a peer's snapshot brings them back. Meanwhile clients post, claim, extend, abandon, consume, watch, \
            and die. All that is drawn from the seed.

            In the end everything is mended, and all nodes must come to the same boards. Every answer to a client must be in \
            the logs or, where those are compacted, in what watchers were told; both must be equal, and the clients' history must be linearizable. \
            Only then the exit code is 0. A run that is not good keeps its folder.

            Namespaces need root, or a system that lets users make them, and the programs ip and nft; nothing outside of \
            them is touched. Where they can't be had, only signals are sent, on loopback; the summary says so.

            Examples:
              jobboard chaos
              jobboard chaos --minutes 60 --nodes 5 --seed 4711
            """)

    @Option(help: ArgumentHelp("How long faults are made. Default: 90 seconds.", valueName: "number"))
    var minutes: UInt32?

    @Option(help: ArgumentHelp("The same in seconds.", valueName: "number"))
    var seconds: UInt32?

    @Option(help: ArgumentHelp("Nodes of the cluster: 3, 5 or 7.", valueName: "number"))
    var nodes = 3

    @Option(help: ArgumentHelp("What all faults and choices are drawn from. Default: drawn by lot.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Clients that post and work.", valueName: "number"))
    var clients = 6

    @Option(help: ArgumentHelp("Operations a second that they aim for, all together.", valueName: "number"))
    var rate = 50

    @Flag(help: "Keep the folder with history, logs and data.")
    var keep = false

    @Option(help: ArgumentHelp("An empty folder to use; it is kept.", valueName: "folder"))
    var data: String?

    @Flag(help: "Print the summary as JSON, and what happens on standard error.")
    var json = false

    @Flag(help: "Send signals alone, on loopback, without namespaces.")
    var loopback = false

    /// Where the run itself takes place; started by the command alone.
    @Flag(help: .hidden)
    var inside = false

    func validate() throws {
        if minutes != nil, seconds != nil { throw ValidationError("--minutes and --seconds exclude each other") }
        if !(1...10_080).contains(minutes ?? 1) { throw ValidationError("--minutes must be from 1 to 10080") }
        if !(30...604_800).contains(seconds ?? 30) { throw ValidationError("--seconds must be from 30 to 604800") }
        if ![3, 5, 7].contains(nodes) { throw ValidationError("--nodes must be 3, 5 or 7") }
        if !(1...64).contains(clients) { throw ValidationError("--clients must be from 1 to 64") }
        if !(1...1000).contains(rate) { throw ValidationError("--rate must be from 1 to 1000") }
    }

    private var length: Duration { .seconds(minutes.map { Int64($0) * 60 } ?? Int64(seconds ?? 90)) }

    func run() async throws {
        let command = self
        if inside {
            // Whoever told it to end says so himself.
            let isGood = try await command.runInside() ?? false
            return try end(with: isGood)
        }
        let notes = ChaosNotes(toErrors: json)
        if loopback { return try await command.runOnLoopback(notes, "signals alone, as asked for") }
        if let obstacle = ChaosEnclosure.obstacle() {
            let limits = "no namespaces of our own here (\(obstacle)): signals alone, on loopback; no cuts, no full disks"
            notes.tell(limits)
            return try await command.runOnLoopback(notes, limits)
        }
        let code = try await Interruption.cancelling { try await ChaosEnclosure.run(command.argumentsInside) }
        guard let code else { throw CommandFailure.failed("interrupted") }
        if code != 0 { throw ExitCode(code) }
    }

    private var argumentsInside: [String] {
        let seed = seed ?? .random(in: 0...999_999)
        var arguments = ["chaos", "--inside", "--seconds", "\(Int(length.inSeconds))", "--nodes", "\(nodes)"]
        arguments += ["--seed", "\(seed)", "--clients", "\(clients)", "--rate", "\(rate)"]
        if let data { arguments += ["--data", data] }
        if keep { arguments.append("--keep") }
        if json { arguments.append("--json") }
        return arguments
    }

    private func runOnLoopback(_ notes: ChaosNotes, _ limits: String) async throws {
        let command = self
        let isGood = try await Interruption.cancelling { try await command.perform(notes, limits: limits) }
        try end(with: isGood)
    }

    /// Nil when nobody wants it any more.
    private func runInside() async throws -> Bool? {
        let command = self
        let work = Task { try await command.perform(ChaosNotes(toErrors: command.json), limits: nil) }
        ChaosEnclosure.whenReleased { work.cancel() }
        do {
            return try await work.value
        } catch {
            if work.isCancelled { return nil }
            throw error
        }
    }

    private func end(with isGood: Bool?) throws {
        guard let isGood else { throw CommandFailure.failed("interrupted") }
        if !isGood { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    /// Whatever happens, nothing is left running.
    private func perform(_ notes: ChaosNotes, limits: String?) async throws -> Bool {
        let run = ChaosRun(
            length: length, seed: seed ?? .random(in: 0...999_999), clients: clients, operationsPerSecond: rate)
        let stage = try ChaosStage(nodes: nodes, data: data, isEnclosed: limits == nil)
        notes.tell("\(nodes) nodes, seed \(run.seed), \(Int(length.inSeconds)) s of faults, in \(stage.folder)")
        do {
            let ending = try await run.run(on: stage, notes)
            let folder = stage.close(keep: keep || !notes.findings.isEmpty)
            let report = ChaosReport(
                run: run, ending: ending, notes: notes, nodes: nodes, limits: limits, keptFolder: folder)
            try Console.write(json ? report.json : report.text)
            return report.isGood
        } catch {
            // What was interrupted proves nothing; what failed is worth a look.
            if let folder = stage.close(keep: keep || !(error is CancellationError)) { notes.tell("kept: \(folder)") }
            throw error
        }
    }
}
