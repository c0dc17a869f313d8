import ArgumentParser
import Jobboard
import JobboardClient
import WireFormat

/// `jobboard watch`.
struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Print every event as a line of JSON, once and in order, across fail-overs.",
        discussion: """
            Each line has the event's "position". To go on after an interruption, give the position after the last one seen.

            Examples:
              jobboard watch
              jobboard watch --all-boards --from 1 | jq -r 'select(.event == "FAILED") | .failure'
            """)

    @Option(
        help: ArgumentHelp("The first position wanted, from 1 on; without it, what happens from now on.", valueName: "position"))
    var from: UInt64?

    @Flag(help: "The events of all boards; then positions have no gaps.")
    var allBoards = false

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let watch = self
        _ = try await Interruption.cancelling {
            try await watch.cluster.withClient(board: watch.board.board) { client in
                // Positions begin at 1; 0 means the beginning, too.
                let from = watch.from.map { max(1, $0) }
                let events = watch.allBoards ? client.watchAllBoards(from: from) : client.watch(from: from)
                for try await event in events {
                    var writer = JSONWriter()
                    writer.write(event)
                    writer.endLine()
                    try Console.write(writer.bytes)
                }
            }
        }
    }
}
