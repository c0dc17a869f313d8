import ArgumentParser
import Jobboard
import JobboardClient

/// `jobboard list`.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List jobs, by priority and then in the order of their posting.",
        discussion: """
            Without --state: the jobs on the board, unclaimed and claimed. The list is read page by page; a job that changes \
            meanwhile may be listed as it was or as it is.

            Examples:
              jobboard list --state claimed --owner worker-7
              jobboard list --name resize --limit 20 -o id
            """)

    private static let pageSize = 1000

    @Option(help: ArgumentHelp("Only jobs in this state; can be given more than once.", valueName: "state"))
    var state: [JobState] = []

    @Option(help: ArgumentHelp("Only jobs that this one holds.", valueName: "name"))
    var owner: String?

    @Option(help: ArgumentHelp("Only jobs of this name.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("At most so many.", valueName: "number"))
    var limit: Int?

    @Flag(help: "What the asked node has, without asking the leader how far the board is.")
    var stale = false

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    }

    func run() async throws {
        let most = limit ?? .max
        let query = JobsQuery(
            board: board.board, states: JobStates(state), owner: owner, name: name, limit: UInt32(min(most, Self.pageSize)))
        try await cluster.withClient(board: board.board) { client in
            var printer = JobPrinter(output.format, isList: true)
            var count = 0
            for try await job in client.allJobs(query, fresh: !stale) {
                try printer.add(job)
                count += 1
                if count == most { break }
            }
            try printer.finish()
        }
    }
}
