import ArgumentParser
import Jobboard
import JobboardClient

/// `jobboard post`.
struct PostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "post",
        abstract: "Post a job, or a file of jobs.",
        discussion: """
            When the command returns, the job is durable on a majority of the cluster's disks.

            Examples:
              jobboard post resize --details '{"width":640}'
              jobboard post nightly-report --key report-2026-03-01 --priority high --delay 5m
              jobboard post --from jobs.ndjson          one job a line; "-" reads standard input

            A line of such a file is a job as JSON: "name" is needed; "uuid", "details", "priority", "key", "book", \
            "not_before", "delay_ms", "expires_after_ms", "lease_ms", "max_failures" and "max_lost_claims" may be there. What else 'jobboard list \
            -o jsonl' prints is passed over, so that its output can be posted to another cluster. The same uuid with the \
            same content posted again has no effect, so a file with uuids can be posted again after an interruption. Lines \
            are posted in their order, up to the first that is refused; the message names the line to go on from. With \
            --skip-bad, refused lines are written to a new file instead; the exit code is 4 when there are any.
            """)

    @Argument(help: ArgumentHelp("The job's name.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("The job's details.", valueName: "JSON|@FILE|-"))
    var details: String?

    @Option(help: ArgumentHelp("Its identity; random when none is given.", valueName: "uuid"))
    var uuid: JobID?

    @Option(help: ArgumentHelp("The logbook that it points to.", valueName: "UUID:NAME"))
    var book: Book?

    @Option(help: ArgumentHelp("While a job with this key is on the board, no second one is posted.", valueName: "key"))
    var key: String?

    @Option(help: ArgumentHelp("very-high, high, normal, low or very-low.", valueName: "priority"))
    var priority: Priority?

    @Option(help: ArgumentHelp("Not claimable for so long.", valueName: "duration"))
    var delay: Duration?

    @Option(help: ArgumentHelp("Not claimable before this time (RFC 3339).", valueName: "time"))
    var notBefore: Timestamp?

    @Option(help: ArgumentHelp("Dropped when nobody has claimed it by then.", valueName: "duration"))
    var expiresAfter: Duration?

    @Option(help: ArgumentHelp("The lease of a claim that names none.", valueName: "duration"))
    var lease: Duration?

    @Option(help: ArgumentHelp("Trashed after so many failures.", valueName: "number"))
    var maxFailures: UInt32?

    @Option(
        help: ArgumentHelp(
            "Trashed after so many claims whose lease ended; 0: never. Default: \(NewJob.defaultMaxLostClaims).",
            valueName: "number"))
    var maxLostClaims: UInt32?

    @Option(help: ArgumentHelp("Post the jobs of this file, one a line (\"-\": standard input).", valueName: "file.ndjson"))
    var from: String?

    @Option(help: ArgumentHelp("With --from: jobs posted at once, all or none of them.", valueName: "number"))
    var batch = 500

    @Option(
        help: ArgumentHelp("With --from: write lines that are refused to this new file, and go on.", valueName: "file"))
    var skipBad: String?

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if from != nil {
            let single: [Any?] = [
                name, details, uuid, book, key, priority, delay, notBefore, expiresAfter, lease, maxFailures, maxLostClaims,
                output.output,
            ]
            if single.contains(where: { $0 != nil }) {
                throw ValidationError("--from takes everything about the jobs from the file")
            }
        } else if skipBad != nil {
            throw ValidationError("--skip-bad goes with --from")
        } else if name == nil {
            throw ValidationError("name the job, or give a file with --from")
        }
        if !(1...4096).contains(batch) { throw ValidationError("--batch must be from 1 to 4096") }
    }

    func run() async throws {
        if let from {
            let refused = try skipBad.map { path throws(CommandFailure) in try RefusedLines(path: path) }
            return try await cluster.withClient(board: board.board) { client in
                try await JobFilePosting(path: from, batchSize: batch, client: client, refused: refused).run()
            }
        }
        let job = try newJob()
        let posted = try await cluster.withClient(board: board.board) { try await $0.post(job) }
        try JobPrinter.printOne(posted.job, duplicate: posted.duplicate, output.format)
    }

    private func newJob() throws -> NewJob {
        var job = NewJob(id: uuid ?? .random(), name: name ?? "", priority: priority ?? .normal)
        if let details { job.details = try JSONArgument.read(details, option: "--details") }
        job.book = book
        job.key = key
        job.delayMilliseconds = delay.map { UInt64($0.inMilliseconds) }
        job.notBefore = notBefore
        job.expiresAfterMilliseconds = expiresAfter.map { UInt64($0.inMilliseconds) }
        job.leaseMilliseconds = lease.map { UInt32(clamping: $0.inMilliseconds) }
        job.maxFailures = maxFailures
        job.maxLostClaims = maxLostClaims
        return job
    }
}
