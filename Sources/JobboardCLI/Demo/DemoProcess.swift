import Dispatch
import Foundation
import Synchronization

/// A process of the demo or of a chaos run: this same program with other arguments, its output in a file.
final class DemoProcess: Sendable {
    private enum State {
        case running([CheckedContinuation<RunningProcess.End, Never>])
        case ended(RunningProcess.End)
    }

    /// This program's file.
    static let program: String = {
        let link = "/proc/self/exe"
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
        return path.flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil } ?? link
    }()

    let name: String
    let log: String
    private let process: RunningProcess
    private let state = Mutex(State.running([]))

    /// Starts it.
    /// - Parameter wrapper: a command that is to run it, such as one that enters a namespace first.
    init(
        _ name: String, _ arguments: [String], log: String, through wrapper: [String] = []
    ) throws(CommandFailure) {
        self.name = name
        self.log = log
        let file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { for file in [file, nothing] where file >= 0 { close(file) } }
        guard file >= 0, nothing >= 0 else { throw .failed("can't write \(log)") }
        let pid = try Spawn.start(
            wrapper + [Self.program] + arguments, environment: [:],
            streams: Spawn.Streams(input: nothing, output: file, error: file))
        process = RunningProcess(pid: pid)
        Thread.detachNewThread { [self] in
            let end = process.wait()
            let waiting = state.withLock { state -> [CheckedContinuation<RunningProcess.End, Never>] in
                defer { state = .ended(end) }
                guard case .running(let waiting) = state else { preconditionFailure("\(name) ended twice") }
                return waiting
            }
            for continuation in waiting { continuation.resume(returning: end) }
        }
    }

    var pid: Int32 { process.pid }

    /// How it ended; nil while it runs.
    var ended: RunningProcess.End? {
        state.withLock { if case .ended(let end) = $0 { end } else { nil } }
    }

    /// Waits until it has ended, also in a cancelled task.
    func end() async -> RunningProcess.End {
        await withCheckedContinuation { continuation in
            let end = state.withLock { state -> RunningProcess.End? in
                switch state {
                case .ended(let end): return end
                case .running(let waiting):
                    state = .running(waiting + [continuation])
                    return nil
                }
            }
            if let end { continuation.resume(returning: end) }
        }
    }

    /// Any signal, unless it has ended.
    func signal(_ number: Int32) {
        process.signal(number)
    }

    /// SIGKILL: it gets no chance to clear up.
    func kill() {
        process.signal(SIGKILL)
    }

    /// SIGTERM, and SIGKILL ten seconds later; waits until it has ended.
    func stop() async -> RunningProcess.End {
        process.signal(SIGTERM)
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(10)) { [process] in process.signal(SIGKILL) }
        return await end()
    }

    /// What it said last, for an error message.
    var lastWords: String {
        var tail = LineTail()
        tail.add(Array(FileManager.default.contents(atPath: log)?.suffix(4096) ?? Data()))
        return tail.line
    }
}
