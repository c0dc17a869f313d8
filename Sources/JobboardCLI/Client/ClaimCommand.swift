import ArgumentParser
import Jobboard
import JobboardClient

/// `jobboard claim`.
struct ClaimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "claim",
        abstract: "Claim a job, or the next ones.",
        discussion: """
            Each claim gives a fence, a number larger than every fence given before. Hand it to whatever the job changes \
            elsewhere, so that work of an owner whose lease ran out can be told apart and refused.

            Examples:
              jobboard claim 0b8a7a3e-4a3c-4e0e-9d7a-5d2f6f1c9b42 --who me --lease 2m
              jobboard claim --next --who me --count 10 --wait 30s      ends with 7 when nothing came in time
            """)

    @Argument(help: ArgumentHelp("The job's uuid.", valueName: "id"))
    var job: JobID?

    @Option(help: ArgumentHelp("The name under which to claim.", valueName: "name"))
    var who: String

    @Option(help: ArgumentHelp("How long the claim stands without an extend.", valueName: "duration"))
    var lease: Duration?

    @Flag(help: "Claim the first claimable jobs of the board.")
    var next = false

    @Option(help: ArgumentHelp("With --next: at most so many.", valueName: "number"))
    var count: Int?

    @Option(help: ArgumentHelp("With --next: wait so long for the first one.", valueName: "duration"))
    var wait: Duration?

    @Option(help: ArgumentHelp("With --next: only jobs of this name.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("With --next: only jobs of this priority; can be given more than once.", valueName: "priority"))
    var priority: [Priority] = []

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if (job != nil) == next { throw ValidationError("give either a job's uuid or --next") }
        if !next, count != nil || wait != nil || name != nil || !priority.isEmpty {
            throw ValidationError("--count, --wait, --name and --priority go with --next")
        }
        if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    }

    func run() async throws {
        if let job {
            let claimed = try await cluster.withClient(board: board.board) { try await $0.claim(job, who: who, lease: lease) }
            return try JobPrinter.printOne(claimed, output.format)
        }
        let jobs = try await claimNext()
        guard !jobs.isEmpty else {
            throw CommandFailure(.nothingToClaim, code: "nothing_to_claim", "nothing was claimable in time")
        }
        var printer = JobPrinter(output.format, isList: true)
        for job in jobs { try printer.add(job) }
        try printer.finish()
    }

    /// A claim that is interrupted while it waits gives back what it got.
    private func claimNext() async throws -> [Job] {
        let claim = self
        let jobs = try await Interruption.cancelling {
            try await claim.cluster.withClient(board: claim.board.board) { client in
                try await client.claimNext(
                    who: claim.who, count: claim.count ?? 1, wait: claim.wait ?? .zero, lease: claim.lease,
                    priorities: Priorities(claim.priority), name: claim.name)
            }
        }
        guard let jobs else { throw CommandFailure.failed("interrupted") }
        return jobs
    }
}
