import ArgumentParser
import Jobboard
import JobboardClient

/// `jobboard abandon`.
struct AbandonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abandon",
        abstract: "Give a claimed job back, to its old place in the order.",
        discussion: """
            With --failure it counts as a failure: it comes back after a pause that grows, and after --max-failures of its \
            post it is TRASHED instead.

            Examples:
              jobboard abandon 0b8a7a3e-4a3c-4e0e-9d7a-5d2f6f1c9b42 --who me
              jobboard abandon 0b8a7a3e-4a3c-4e0e-9d7a-5d2f6f1c9b42 --who me --failure 'disk full' --delay 1m
            """)

    @OptionGroup var holder: HolderOptions

    @Option(help: ArgumentHelp("What went wrong; counts as a failure.", valueName: "text"))
    var failure: String?

    @Option(help: ArgumentHelp("Claimable again only after this long.", valueName: "duration"))
    var delay: Duration?

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let job = try await cluster.withClient(board: board.board) {
            try await $0.abandon(holder.job, who: holder.who, fence: holder.fence, delay: delay, failure: failure)
        }
        try JobPrinter.printOne(job, output.format)
    }
}
