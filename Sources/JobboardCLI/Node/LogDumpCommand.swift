import ArgumentParser
import Jobboard
import WireFormat

/// `jobboard log dump`.
struct LogDumpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Print every event of a data folder as a line of JSON.",
        discussion: """
            Replays the log from its beginning or, where it was compacted, from the oldest snapshot that it goes on from; \
            what came before is kept no longer. Nothing is changed, and the node may be running. Every block's checksum is \
            verified on the way. A summary goes to standard error.

            Only what the log itself knows to be committed is printed. A node learns of the last commits a little before \
            its log does, so the newest events can be missing: --all prints them as well, at the risk that some were never \
            agreed upon; where they begin is said on standard error.

            --from, --to and --job choose what is printed; all of the log is replayed all the same.

            Example:
              jobboard log dump jobboard-data | jq -r 'select(.event == "CONSUMED") | .job'
            """)

    @Argument(help: ArgumentHelp("The node's data folder.", valueName: "data-dir"))
    var folder: String

    @Flag(help: "Print also what may not be committed.")
    var all = false

    @Option(help: ArgumentHelp("Up to this entry of the log, known from elsewhere to be committed.", valueName: "index"))
    var through: UInt64?

    @Option(help: ArgumentHelp("Print from this entry of the log on.", valueName: "index"))
    var from: UInt64?

    @Option(help: ArgumentHelp("Print up to this entry of the log, as far as it is committed.", valueName: "index"))
    var to: UInt64?

    @Option(help: ArgumentHelp("Print what happened to this job alone.", valueName: "uuid"))
    var job: JobID?

    func validate() throws {
        if all, through != nil { throw ValidationError("--all and --through exclude each other") }
        if let from, let to, from > to { throw ValidationError("--from \(from) lies behind --to \(to)") }
    }

    func run() async throws {
        let log = try LogReplay(folder: folder)
        let last = min(all ? .max : through ?? log.commit, to ?? .max)
        let first = from ?? 0
        var printer = EventPrinter()
        var isMarked = through != nil
        let summary = try log.replay(through: last) { entry, events in
            if entry >= first, entry > log.commit, !isMarked {
                try printer.flush()
                Console.note("from here on (entry \(entry)) the log does not know whether the events are committed")
                isMarked = true
            }
            guard entry >= first else { return }
            for event in events where job == nil || event.job == job { try printer.add(event) }
        }
        try printer.flush()
        for line in summary.lines { Console.note(line) }
        if summary.damage != nil { throw CommandFailure(.failed, code: "damaged", "the log can't be read to its end") }
    }
}

/// Writes events as lines of JSON, many at once.
struct EventPrinter {
    private static let pieceBytes = 64 << 10
    private var writer = JSONWriter()

    mutating func add(_ event: Event) throws(CommandFailure) {
        writer.write(event)
        writer.endLine()
        if writer.bytes.count >= Self.pieceBytes { try flush() }
    }

    mutating func flush() throws(CommandFailure) {
        try Console.write(writer.bytes)
        writer = JSONWriter()
    }
}
