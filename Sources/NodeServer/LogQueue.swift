import Foundation
package import NodeEngine
package import WireFormat

/// Lines of log on their way to a file, which a thread of its own writes: whoever logs never waits for the file's reader.
///
/// Bounded in lines and bytes. What does not fit is dropped and counted, and a line says how many once there is room again.
///
/// `@unchecked`: everything in it that changes is guarded by `condition`.
package final class LogQueue: @unchecked Sendable {
    private struct State {
        var lines: [[UInt8]] = []
        var byteCount = 0
        /// Taken from `lines` and being written.
        var writing = 0
        var writingBytes = 0
        var dropped: UInt64 = 0
        /// Dropped and not yet told.
        var untold: UInt64 = 0
        var isEnding = false
    }

    private let file: Int32
    private let lineLimit: Int
    private let byteLimit: Int
    private let mark: @Sendable (UInt64) -> String
    private let condition = NSCondition()
    private var state = State()

    /// `file` stays open as long as the process. `mark` is the line that tells how many lines were dropped.
    package init(
        file: Int32, budgets: Budgets = Budgets(),
        mark: @escaping @Sendable (UInt64) -> String = { "\($0) log lines were dropped" }
    ) {
        self.file = file
        lineLimit = budgets[.logLines]
        byteLimit = budgets[.logBytes]
        self.mark = mark
        let thread = Thread { [self] in write() }
        thread.name = "log"
        thread.start()
    }

    /// Adds a line without its end.
    package func add(_ line: String) {
        let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
        condition.withLock {
            guard state.lines.count + state.writing < lineLimit,
                state.byteCount + state.writingBytes + bytes.count <= byteLimit
            else {
                state.dropped += 1
                state.untold += 1
                return
            }
            state.lines.append(bytes)
            state.byteCount += bytes.count
            condition.broadcast()
        }
    }

    /// Waits until everything has been written, but no longer than this: a reader that stands still must not keep a process
    /// from its end.
    package func flush(within seconds: Double) {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.withLock {
            while !state.lines.isEmpty || state.writing > 0 || state.untold > 0 {
                guard condition.wait(until: deadline) else { return }
            }
        }
    }

    /// Ends the thread once it has written what is left; for tests.
    package func end() {
        condition.withLock {
            state.isEnding = true
            condition.broadcast()
        }
    }

    /// The lines, as the table of budgets has them.
    package var reading: BudgetReading {
        condition.withLock {
            BudgetReading(
                name: Budget.logLines.name, used: UInt64(state.lines.count + state.writing), limit: UInt64(lineLimit),
                refused: state.dropped)
        }
    }

    private func write() {
        while let bytes = next() { put(bytes) }
    }

    /// Everything that waits, with a line about what does not; nil at the end.
    private func next() -> [UInt8]? {
        condition.withLock {
            state.writing = 0
            state.writingBytes = 0
            condition.broadcast()
            while state.lines.isEmpty, state.untold == 0 {
                if state.isEnding { return nil }
                condition.wait()
            }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(state.byteCount)
            for line in state.lines { bytes += line }
            if state.untold > 0 { bytes += Array((mark(state.untold) + "\n").utf8) }
            state.writing = state.lines.count
            state.writingBytes = state.byteCount
            state.lines.removeAll(keepingCapacity: true)
            state.byteCount = 0
            state.untold = 0
            return bytes
        }
    }

    /// Writes all of it, however long the reader takes. What the file refuses is lost: there is no other place to say so.
    private func put(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { all in
            var rest = all[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = Foundation.write(file, part.baseAddress, part.count)
                if count < 0, errno == EAGAIN {
                    // Somebody else has made the file non-blocking.
                    var ready = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&ready, 1, -1)
                } else if count < 0, errno != EINTR {
                    return
                }
                rest = rest.dropFirst(max(0, count))
            }
        }
    }
}
