import ArgumentParser
import Jobboard
import JobboardClient

/// `jobboard count`.
struct CountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count",
        abstract: "Print how many jobs there are on a board.",
        discussion: """
            Exact, and as fast for ten million jobs as for ten. Without --state: those on the board, unclaimed and claimed.

            Example:
              jobboard count --state unclaimed
            """)

    @Option(help: ArgumentHelp("Only jobs in this state.", valueName: "state"))
    var state: JobState?

    @Flag(help: "What the asked node has, without asking the leader how far the board is.")
    var stale = false

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let count = try await cluster.withClient(board: board.board) { try await $0.count(state: state, fresh: !stale) }
        try Console.write("\(count)\n")
    }
}
