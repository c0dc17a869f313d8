import ArgumentParser

/// `jobboard demo`.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run a real cluster on this machine, kill its leader, and check that every job was consumed once.",
        discussion: """
            Everything is real: nodes, workers and the one that posts are processes of this program on loopback, with their \
            data in a temporary folder. When 40 % of the jobs are consumed, the leader is killed with SIGKILL; three \
            seconds later it is started again. Meanwhile a probe measures the longest time without an acknowledgement.

            In the end, each posted job must have been acknowledged as consumed to exactly one worker, each node's log must \
            hold exactly one CONSUMED event for it, and all logs must say the same. Only then the exit code is 0.

            Examples:
              jobboard demo
              jobboard demo --nodes 5 --jobs 100000 --keep
            """)

    @Option(help: ArgumentHelp("Nodes of the cluster: 1, 3, 5 or 7.", valueName: "number"))
    var nodes = 3

    @Option(help: ArgumentHelp("Jobs to post.", valueName: "number"))
    var jobs = 10_000

    @Option(help: ArgumentHelp("Worker processes.", valueName: "number"))
    var workers = 4

    @Flag(help: "Keep the folder with logs and data.")
    var keep = false

    @Option(help: ArgumentHelp("An empty folder to use; it is kept.", valueName: "folder"))
    var data: String?

    func validate() throws {
        if ![1, 3, 5, 7].contains(nodes) { throw ValidationError("--nodes must be 1, 3, 5 or 7") }
        if !(1...10_000_000).contains(jobs) { throw ValidationError("--jobs must be from 1 to 10000000") }
        if !(1...64).contains(workers) { throw ValidationError("--workers must be from 1 to 64") }
    }

    func run() async throws {
        let demo = self
        let isGood = try await Interruption.cancelling { try await demo.perform() }
        guard let isGood else { throw CommandFailure.failed("interrupted") }
        if !isGood { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    /// Whatever happens, nothing is left running.
    private func perform() async throws -> Bool {
        let stage = try DemoStage(nodes: nodes, data: data, isKept: keep)
        var narrator = Narrator()
        do {
            let ending = try await DemoPlay(nodes: nodes, jobs: jobs, workers: workers).run(on: stage, &narrator)
            let report = try DemoReport(ending, stage)
            narrator.clear()
            try Console.write(report.text(narrator))
            await stage.clear()
            return report.verdict.isGood
        } catch {
            narrator.clear()
            await stage.clear()
            throw error
        }
    }
}
