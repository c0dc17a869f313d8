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
            Asks every node named, and those that they name. A node that does not answer is "unreachable" when no connection can \
            be made, "no answer" when it takes the connection and says nothing in time, and "refuses" when it ends it. Ends with \
            5 when no node leads or fewer than a majority serve; with --metrics only when none answered.

            Columns: LOG is the commands' bytes before compression, STORED the blocks' bytes after it, DISK what they \
            take in files, FSYNC P99 the 99th percentile of the last writes to disk. Jobs are those of all boards. CONNS is \
            the connections of clients, FILES the open files and sockets, each with its limit; the JSON has them and all \
            other budgets under "budgets". DAMAGE is what of a node's log or snapshots can't be read now; a node whose role \
            is "repairing" serves nobody until it is whole.

            --digest asks each node for the digest of all its boards, and adds it with the entry that it is of. It reads every \
            job, beside everything else, at most once a second.

            --metrics prints the same as Prometheus text, for a textfile collector or a script; counters begin anew with \
            a node's process.

            Examples:
              jobboard status --config cluster.json
              jobboard status -o jsonl | jq .status.role
              jobboard status --metrics > jobboard.prom
            """)

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    @Flag(help: "Print Prometheus text.")
    var metrics = false

    @Flag(help: "Also compute the digest of each node's boards; nodes that have applied the same entries have the same.")
    var digest = false

    func validate() throws {
        if metrics, output.output != nil { throw ValidationError("--metrics is a form of its own; leave --output out") }
    }

    func run() async throws {
        let (addresses, _) = try cluster.addresses()
        let reports = try await cluster.withClient { client in
            let found = await ClusterStatus.ask(addresses, through: client, timeout: min(cluster.timeout, .seconds(3)))
            return digest ? await ClusterStatus.askDigests(found, through: client, timeout: cluster.timeout) : found
        }
        try Console.write(text(of: reports))
        // A scrape of a cluster in trouble is as good as any.
        guard !metrics || !reports.contains(where: { $0.status != nil }) else { return }
        if let failure = ClusterStatus.failure(reports) { throw failure }
    }

    private func text(of reports: [ClusterStatus.Report]) -> String {
        if metrics { return ClusterMetrics.text(reports) }
        return switch output.format {
        case .table: ClusterStatus.table(reports)
        case .json: "[" + reports.map(ClusterStatus.json).joined(separator: ",\n") + "]\n"
        case .jsonl: reports.map { ClusterStatus.json($0) + "\n" }.joined()
        case .id: reports.compactMap { $0.status.map { "\($0.node)\n" } }.joined()
        }
    }
}
