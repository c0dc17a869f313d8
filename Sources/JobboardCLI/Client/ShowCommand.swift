import ArgumentParser
import Jobboard
import JobboardClient

/// `jobboard show`.
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show all of one job.",
        discussion: """
            Jobs that were consumed not long ago are still known, as COMPLETE.

            Example:
              jobboard show 0b8a7a3e-4a3c-4e0e-9d7a-5d2f6f1c9b42 -o json
            """)

    @Argument(help: ArgumentHelp("The job's uuid.", valueName: "id"))
    var job: JobID

    @Flag(help: "What the asked node has, without asking the leader how far the board is.")
    var stale = false

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let found = try await cluster.withClient(board: board.board) { try await $0.job(job, fresh: !stale) }
        if output.format == .table {
            try Console.write(JobCard.text(of: found, now: .now))
        } else {
            try JobPrinter.printOne(found, output.format)
        }
    }
}
