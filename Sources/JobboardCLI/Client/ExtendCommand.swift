import ArgumentParser
import Jobboard
import JobboardClient

/// `jobboard extend`.
struct ExtendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extend",
        abstract: "Prolong a claim, from now on.",
        discussion: """
            Example:
              jobboard extend 0b8a7a3e-4a3c-4e0e-9d7a-5d2f6f1c9b42 --who me --fence 812 --lease 5m
            """)

    @OptionGroup var holder: HolderOptions

    @Option(help: ArgumentHelp("How long the claim stands from now on.", valueName: "duration"))
    var lease: Duration?

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let job = try await cluster.withClient(board: board.board) {
            try await $0.extend(holder.job, who: holder.who, fence: holder.fence, lease: lease)
        }
        try JobPrinter.printOne(job, output.format)
    }
}
