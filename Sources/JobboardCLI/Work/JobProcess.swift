import Dispatch
import Foundation
import Synchronization

/// Runs a command for one job: details on its standard input, its standard error passed on and its last line kept.
struct JobProcess: Sendable {
    /// From SIGTERM to SIGKILL.
    private static let graceSeconds = 5
    /// How long to wait for a descriptor before looking whether the process has ended: something that it left behind may hold
    /// its standard error open for ever.
    private static let look: Int32 = 100

    struct Result: Sendable {
        var end: RunningProcess.End
        var lastErrorLine: String
    }

    let command: [String]
    let environment: [String: String]
    let input: [UInt8]

    /// Runs it to its end. When the task is cancelled, the process gets SIGTERM, and SIGKILL five seconds later.
    func run() async throws(CommandFailure) -> Result {
        let stop = StopButton(graceSeconds: Self.graceSeconds)
        let result: Swift.Result<Result, CommandFailure> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A thread a job: it waits for pipes and for the end of the process, which no task should.
                Thread.detachNewThread {
                    continuation.resume(returning: Swift.Result { () throws(CommandFailure) in try runHere(stop) })
                }
            }
        } onCancel: {
            stop.press()
        }
        return try result.get()
    }

    private func runHere(_ stop: StopButton) throws(CommandFailure) -> Result {
        let (process, input, output) = try Spawn.exclusively { () throws(CommandFailure) in try start() }
        stop.connect(process)
        var tail = LineTail()
        feed(input, andPassOn: output, until: process, &tail)
        close(output)
        return Result(end: process.wait(), lastErrorLine: tail.line)
    }

    /// Starts it, and gives our ends of its input and of its standard error.
    private func start() throws(CommandFailure) -> (RunningProcess, input: Int32, output: Int32) {
        let input = try Pipe()
        do throws(CommandFailure) {
            let output = try Pipe()
            do throws(CommandFailure) {
                let streams = Spawn.Streams(input: input.read, output: nil, error: output.write)
                let pid = try Spawn.start(command, environment: environment, streams: streams)
                input.makeWritingImmediate()
                close(input.read)
                close(output.write)
                return (RunningProcess(pid: pid), input.write, output.read)
            } catch {
                output.closeBoth()
                throw error
            }
        } catch {
            input.closeBoth()
            throw error
        }
    }

    /// Writes the input and passes on what the process says, until both are done or the process has ended.
    private func feed(_ input: Int32, andPassOn output: Int32, until process: RunningProcess, _ tail: inout LineTail) {
        var rest = self.input[...]
        var isWriting = true
        func endInput() {
            close(input)
            isWriting = false
        }
        if rest.isEmpty { endInput() }
        while true {
            var waits = [pollfd(fd: output, events: Int16(POLLIN), revents: 0)]
            if isWriting { waits.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
            let ready = poll(&waits, nfds_t(waits.count), Self.look)
            if isWriting, waits[1].revents != 0, !write(&rest, to: input) { endInput() }
            if waits[0].revents != 0 {
                if !passOn(output, &tail) { break }
            } else if ready == 0, process.hasEnded {
                break
            }
        }
        if isWriting { endInput() }
    }

    /// False when there is nothing more to write, or nobody to read it: a command need not read its input.
    private func write(_ rest: inout ArraySlice<UInt8>, to file: Int32) -> Bool {
        let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        rest = rest.dropFirst(count)
        return !rest.isEmpty
    }

    /// False at the end.
    private func passOn(_ file: Int32, _ tail: inout LineTail) -> Bool {
        var piece = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &piece, piece.count)
        guard count > 0 else { return count < 0 && (errno == EINTR || errno == EAGAIN) }
        piece.removeSubrange(count...)
        _ = Console.write(piece, to: STDERR_FILENO)
        tail.add(piece)
        return true
    }
}

/// A pipe whose ends are closed in children, but for those handed to them. Made while nothing else is started, since between
/// the making and the marking another child would inherit them, and keep the first one's input open.
private struct Pipe {
    let read: Int32
    let write: Int32

    init() throws(CommandFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .failed("no pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        read = ends[0]
        write = ends[1]
    }

    /// Our end of a process's input: what it does not read must not hold us up.
    func makeWritingImmediate() {
        _ = fcntl(write, F_SETFL, O_NONBLOCK)
    }

    func closeBoth() {
        close(read)
        close(write)
    }
}

/// Ends a process that may not have been started yet.
private final class StopButton: Sendable {
    private struct State {
        var process: RunningProcess?
        var isPressed = false
    }

    private let state = Mutex(State())
    private let graceSeconds: Int

    init(graceSeconds: Int) {
        self.graceSeconds = graceSeconds
    }

    func connect(_ process: RunningProcess) {
        let isPressed = state.withLock { state in
            state.process = process
            return state.isPressed
        }
        if isPressed { end(process) }
    }

    func press() {
        let process = state.withLock { state in
            state.isPressed = true
            return state.process
        }
        if let process { end(process) }
    }

    private func end(_ process: RunningProcess) {
        process.signal(SIGTERM)
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(graceSeconds)) { process.signal(SIGKILL) }
    }
}
