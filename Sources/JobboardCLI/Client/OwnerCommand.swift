import ArgumentParser
import Jobboard
import JobboardClient

/// `jobboard owner`.
struct OwnerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "owner",
        abstract: "Print who holds a job, or nothing.",
        discussion: """
            Example:
              jobboard owner 0b8a7a3e-4a3c-4e0e-9d7a-5d2f6f1c9b42
            """)

    @Argument(help: ArgumentHelp("The job's uuid.", valueName: "id"))
    var job: JobID

    @Flag(help: "What the asked node has, without asking the leader how far the board is.")
    var stale = false

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let owner = try await cluster.withClient(board: board.board) { try await $0.owner(of: job, fresh: !stale) }
        if let owner { try Console.write((Console.isOutputTerminal ? Console.printable(owner) : owner) + "\n") }
    }
}
