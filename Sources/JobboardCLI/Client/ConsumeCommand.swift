import ArgumentParser
import Jobboard
import JobboardClient

/// `jobboard consume`.
struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Take a claimed job off the board for good: it is done.",
        discussion: """
            Examples:
              jobboard consume 0b8a7a3e-4a3c-4e0e-9d7a-5d2f6f1c9b42 --who me --fence 812
              ./resize.sh | jobboard consume 0b8a7a3e-4a3c-4e0e-9d7a-5d2f6f1c9b42 --who me --result -
            """)

    @OptionGroup var holder: HolderOptions

    @Option(help: ArgumentHelp("What to leave with the job.", valueName: "JSON|@FILE|-"))
    var result: String?

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        var json: [UInt8]?
        if let result { json = try JSONArgument.read(result, option: "--result") }
        let job = try await cluster.withClient(board: board.board) {
            try await $0.consume(holder.job, who: holder.who, fence: holder.fence, result: json)
        }
        try JobPrinter.printOne(job, output.format)
    }
}
