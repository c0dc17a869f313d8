import Foundation
import Synchronization

/// Starts processes; the one place that speaks to `posix_spawn`.
enum Spawn {
    /// What a new process gets as its standard input, output and error: descriptors of ours, or nil to share ours.
    struct Streams {
        var input: Int32?
        var output: Int32?
        var error: Int32?
    }

    private static let lock = Mutex(())

    /// Runs `body` while nobody else starts a process through here.
    static func exclusively<Result>(_ body: () throws(CommandFailure) -> Result) throws(CommandFailure) -> Result {
        try lock.withLock { _ throws(CommandFailure) in Box(value: try body()) }.value
    }

    /// Takes a value out of the lock that was made in it and is not guarded by it.
    private struct Box<Value>: @unchecked Sendable {
        let value: Value
    }

    /// Starts `command` in a process group of its own, so that Ctrl-C on the terminal reaches us alone and we end it in order.
    /// - Parameters:
    ///   - command: the program, sought along PATH, and its arguments.
    ///   - environment: changes to ours.
    /// - Returns: the process's id. Somebody has to wait for it.
    static func start(
        _ command: [String], environment changes: [String: String], streams: Streams
    ) throws(CommandFailure) -> pid_t {
        precondition(!command.isEmpty, "a command without a program")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (given, standard) in [(streams.input, STDIN_FILENO), (streams.output, STDOUT_FILENO), (streams.error, STDERR_FILENO)]
        {
            if let given { posix_spawn_file_actions_adddup2(&actions, given, standard) }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        setUp(&attributes)
        let environment = ProcessInfo.processInfo.environment.merging(changes) { _, new in new }
        var pid: pid_t = 0
        let code = withCStrings(command) { arguments in
            withCStrings(environment.map { "\($0)=\($1)" }) { environment in
                posix_spawnp(&pid, command[0], &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw .failed("can't start \(command[0]): \(String(cString: strerror(code)))") }
        return pid
    }

    /// Signals as a fresh process expects them: ours ignore some.
    private static func setUp(_ attributes: inout posix_spawnattr_t) {
        var reset = sigset_t()
        sigemptyset(&reset)
        for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&reset, number) }
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigdefault(&attributes, &reset)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    private static func withCStrings(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Int32
    ) -> Int32 {
        let copies = strings.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        return body(copies)
    }

    /// Where a program would be found, as `posix_spawnp` looks for it; nil when nowhere.
    static func find(_ program: String) -> String? {
        guard !program.contains("/") else { return access(program, X_OK) == 0 ? program : nil }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }
}
