import Foundation
import Logging
import NodeServer
import Synchronization

/// The process's standard output and error, without buffers of their own.
enum Console {
    static let isOutputTerminal = isatty(STDOUT_FILENO) == 1
    static let isErrorTerminal = isatty(STDERR_FILENO) == 1

    /// Writes all of it to standard output. When its reader is gone, the process ends quietly, as others in a pipe do.
    static func write(_ bytes: [UInt8]) throws(CommandFailure) {
        let code = write(bytes, to: STDOUT_FILENO)
        if code == EPIPE { exit(ExitStatus.ok.rawValue) }
        guard code == 0 else { throw .failed("standard output: \(String(cString: strerror(code)))") }
    }

    static func write(_ text: String) throws(CommandFailure) {
        try write(Array(text.utf8))
    }

    /// Takes the lines for standard error of a process that must not wait for their reader.
    private static let queue = Mutex<LogQueue?>(nil)

    /// From here on no line on standard error makes its writer wait: a thread writes them, and what its queue has no room for
    /// is dropped. For nodes, which a stalled reader of their log would hold up otherwise.
    static func queueNotes() -> LogQueue {
        let made = LogQueue(file: STDERR_FILENO) { LineLogHandler.line(.now, .warning, "\($0) log lines were dropped", [:]) }
        queue.withLock { $0 = made }
        return made
    }

    /// Waits until the queued lines are written, but not for long.
    static func flushNotes() {
        queue.withLock { $0 }?.flush(within: 1)
    }

    /// A line on standard error; what can't be written there is lost.
    static func note(_ line: String) {
        if let queue = queue.withLock({ $0 }) { return queue.add(line) }
        _ = write(Array((line + "\n").utf8), to: STDERR_FILENO)
    }

    /// Text on standard error without a line's end.
    static func noteRaw(_ text: String) {
        _ = write(Array(text.utf8), to: STDERR_FILENO)
    }

    /// Without what would move a terminal's cursor, end the line or not be seen: spaces stand in for it.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: \.isUnseen) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isUnseen ? " " : $0 }))
    }

    /// All of the bytes, or the error number.
    static func write(_ bytes: [UInt8], to file: Int32) -> Int32 {
        bytes.withUnsafeBytes { all in
            var rest = all[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = Foundation.write(file, part.baseAddress, part.count)
                if count < 0, errno == EAGAIN {
                    var ready = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&ready, 1, -1)
                } else if count < 0, errno != EINTR {
                    return errno
                }
                rest = rest.dropFirst(max(0, count))
            }
            return 0
        }
    }
}
