import ArgumentParser
import Jobboard
import JobboardClient
import WireFormat

/// `jobboard status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the nodes of a cluster stand.",
        discussion: """
            Asks every node named, and those that they name; a node that can't be reached is shown as such. Ends with 5 when \
            none answered.

            Columns: LOG is the commands' bytes before compression, STORED the blocks' bytes after it, DISK what they \
            take in files, FSYNC P99 the 99th percentile of the last writes to disk. Jobs are those of all boards.

            Examples:
              jobboard status --config cluster.json
              jobboard status -o jsonl | jq .status.role
            """)

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (addresses, _) = try cluster.addresses()
        let reports = try await cluster.withClient { client in
            await ClusterStatus.ask(addresses, through: client, timeout: min(cluster.timeout, .seconds(3)))
        }
        switch output.format {
        case .table: try Console.write(ClusterStatus.table(reports))
        case .json: try Console.write("[" + reports.map(ClusterStatus.json).joined(separator: ",\n") + "]\n")
        case .jsonl: try Console.write(reports.map { ClusterStatus.json($0) + "\n" }.joined())
        case .id: try Console.write(reports.compactMap { $0.status.map { "\($0.node)\n" } }.joined())
        }
        guard reports.contains(where: { $0.status != nil }) else {
            throw CommandFailure(.unavailable, code: "unavailable", "no node answered")
        }
    }
}
