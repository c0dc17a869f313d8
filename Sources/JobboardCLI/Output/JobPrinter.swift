import Jobboard
import WireFormat

/// Prints jobs in the form asked for, as they come; a table waits for the last row to know its widths.
struct JobPrinter {
    private static let pieceBytes = 64 << 10

    private let format: OutputFormat
    private let isList: Bool
    private let now: Timestamp
    private var pending: [UInt8] = []
    private var table = TextTable(JobRow.columns)
    private var count = 0

    /// - Parameter isList: false when there is one job by nature: then `json` gives it without brackets.
    init(_ format: OutputFormat, isList: Bool, now: Timestamp = .now) {
        self.format = format
        self.isList = isList
        self.now = now
    }

    mutating func add(_ job: Job, duplicate: Bool = false) throws(CommandFailure) {
        switch format {
        case .table: table.add(JobRow.cells(of: job, now: now))
        case .id: pending += Array("\(job.id)\n".utf8)
        case .jsonl: pending += Self.json(job, duplicate) + [UInt8(ascii: "\n")]
        case .json:
            if isList { pending += Array((count == 0 ? "[\n" : ",\n").utf8) }
            pending += Self.json(job, duplicate)
        }
        count += 1
        guard pending.count >= Self.pieceBytes else { return }
        try Console.write(pending)
        pending.removeAll(keepingCapacity: true)
    }

    mutating func finish() throws(CommandFailure) {
        switch format {
        case .table where count > 0: pending += Array(table.text.utf8)
        case .json where isList: pending += Array((count == 0 ? "[]\n" : "\n]\n").utf8)
        case .json: pending += Array("\n".utf8)
        case .table, .jsonl, .id: break
        }
        try Console.write(pending)
        pending = []
    }

    private static func json(_ job: Job, _ duplicate: Bool) -> [UInt8] {
        var writer = JSONWriter()
        writer.write(job, duplicate: duplicate)
        return writer.bytes
    }

    /// Prints one job that was asked for or changed.
    static func printOne(_ job: Job, duplicate: Bool = false, _ format: OutputFormat) throws(CommandFailure) {
        var printer = JobPrinter(format, isList: false)
        try printer.add(job, duplicate: duplicate)
        try printer.finish()
    }
}
