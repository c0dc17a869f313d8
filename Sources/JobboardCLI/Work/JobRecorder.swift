import Foundation
import Jobboard
import Synchronization
import WireFormat

/// Appends a line of JSON for each job whose consume was acknowledged.
final class JobRecorder: Sendable {
    private let file: Mutex<Int32>

    init(path: String) throws(CommandFailure) {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .usage("can't write \(path): \(String(cString: strerror(errno)))") }
        self.file = Mutex(file)
    }

    deinit {
        _ = file.withLock { close($0) }
    }

    /// The line is with the system when this returns: it outlives the process.
    func record(_ job: JobID, fence: UInt64, who: String) throws(CommandFailure) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("uuid", "\(job)")
        writer.field("fence", fence)
        writer.field("who", who)
        writer.field("at", RFC3339.text(.now))
        writer.endObject()
        writer.endLine()
        let line = writer.bytes
        let code = file.withLock { Console.write(line, to: $0) }
        guard code == 0 else { throw .failed("the record: \(String(cString: strerror(code)))") }
    }
}
