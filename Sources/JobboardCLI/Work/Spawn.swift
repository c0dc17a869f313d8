import CProcess
import Foundation

/// Starts processes; the one place that speaks to `vfork` and `execve`.
enum Spawn {
    /// What a new process gets as its standard input, output and error: descriptors of ours, or nil to share ours.
    struct Streams {
        var input: Int32?
        var output: Int32?
        var error: Int32?
    }

    /// A command as the system takes it: bytes, which need not be UTF-8.
    struct Command: Sendable {
        /// The program, sought along PATH, and its arguments.
        var words: [[UInt8]]
        /// All of its environment, an entry a variable: `NAME=value`.
        var environment: [[UInt8]]
        /// It is killed when the thread that starts it ends, and with it our process.
        var diesWithThread = false
        /// SIGHUP stays ignored in it; every other signal gets its default action.
        var ignoresHangup = false
    }

    /// Starts `command` in a process group of its own, so that Ctrl-C on the terminal reaches us alone and we end it in order.
    /// Of our descriptors it gets its three streams and no others.
    /// - Returns: the process's id. It has to be waited for.
    static func start(_ command: Command, streams: Streams) throws(StartFailure) -> pid_t {
        let program = command.words[0]
        // What is named with its folder is left to the system, which says best what is wrong with it.
        let path = program.contains(UInt8(ascii: "/")) ? program : find(program)
        guard let path else { throw StartFailure(program, ENOENT) }
        var pid: pid_t = 0
        let code = withCStrings([path]) { paths in
            withCStrings(command.words) { arguments in
                withCStrings(command.environment) { environment in
                    var process = jobboard_process()
                    process.path = UnsafePointer(paths[0])
                    process.arguments = arguments
                    process.environment = environment
                    process.streams = (streams.input ?? -1, streams.output ?? -1, streams.error ?? -1)
                    process.dies_with_thread = command.diesWithThread
                    process.ignores_hangup = command.ignoresHangup
                    return jobboard_process_start(&process, &pid)
                }
            }
        }
        guard code == 0 else { throw StartFailure(program, code) }
        return pid
    }

    /// Starts a command that is plain text, with changes to our environment.
    static func start(
        _ command: [String], environment changes: [String: String], streams: Streams
    ) throws(CommandFailure) -> pid_t {
        do {
            let words = command.map { Array($0.utf8) }
            return try start(Command(words: words, environment: SystemText.environment(with: changes)), streams: streams)
        } catch {
            throw .failed(error.description)
        }
    }

    /// A pipe that no other process inherits.
    static func pipe(for program: [UInt8] = []) throws(StartFailure) -> Pipe {
        var ends: [Int32] = [-1, -1]
        let code = jobboard_pipe(&ends)
        guard code == 0 else { throw StartFailure(program, code) }
        return Pipe(read: ends[0], write: ends[1])
    }

    struct Pipe {
        let read: Int32
        let write: Int32

        func closeBoth() {
            close(read)
            close(write)
        }
    }

    /// A descriptor that becomes readable when the process has ended; nil where the system has none to give.
    static func descriptor(of pid: pid_t) -> Int32? {
        let file = jobboard_process_descriptor(pid)
        return file >= 0 ? file : nil
    }

    /// Where a program is; nil when it is nowhere or can't be run.
    static func find(_ program: [UInt8]) -> [UInt8]? {
        guard !program.contains(UInt8(ascii: "/")) else { return isProgram(program) ? program : nil }
        let path = SystemText.variable("PATH") ?? Array("/usr/local/bin:/usr/bin:/bin".utf8)
        return path.split(separator: UInt8(ascii: ":")).map { $0 + [UInt8(ascii: "/")] + program }.first(where: isProgram)
    }

    private static func isProgram(_ path: [UInt8]) -> Bool {
        withCStrings([path]) { paths in
            var information = stat()
            guard let path = paths[0], stat(path, &information) == 0 else { return false }
            return information.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
        }
    }

    private static func withCStrings<Result>(
        _ strings: [[UInt8]], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let copies = strings.map { string in
            (string + [0]).withUnsafeBufferPointer { bytes in
                bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.flatMap { strdup($0) } }
            }
        }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}

/// Why a command could not be started: that is no failure of the job it was to be started for.
struct StartFailure: Error, Equatable, CustomStringConvertible {
    var program: String
    /// The system's error number.
    var code: Int32

    init(_ program: [UInt8], _ code: Int32) {
        self.program = String(decoding: program, as: UTF8.self)
        self.code = code
    }

    /// True for what may be over soon: no process, no descriptor or no memory to be had, a program that is being written.
    var isPassing: Bool { [EAGAIN, ENOMEM, EMFILE, ENFILE, ETXTBSY, EIO, ESTALE].contains(code) }

    var description: String { "can't start \(program): \(String(cString: strerror(code)))" }
}
