import Foundation
import Synchronization

/// Namespaces around a run: network, mounts and processes of its own.
///
/// The run is this program again, started inside through `unshare`. Whatever it makes there (network, disks, processes)
/// goes with it, however it ends: nothing is left to clear away. It ends in good order when its standard input ends, and
/// that happens also when this process is killed.
enum ChaosEnclosure {
    private static let tools = ["unshare", "nsenter", "mount", "ip", "nft"]
    /// A run that was told to end and does not is killed, with everything in it.
    private static let grace: Duration = .seconds(30)

    private static var wrapper: [String] {
        let user = geteuid() == 0 ? [] : ["--user", "--map-root-user"]
        return ["unshare"] + user + ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    }

    /// Why there can be none here; nil when all that a run needs is there and permitted.
    static func obstacle() -> String? {
        let missing = tools.filter { !ChaosTool.exists($0) }
        guard missing.isEmpty else { return "\(missing.joined(separator: ", ")) not installed" }
        let scratch = "\(FileManager.default.temporaryDirectory.path)/jobboard-chaos-probe-\(getpid())"
        defer { _ = unlink(scratch) }
        let trial = """
            mount -t tmpfs -o size=1m probe /run && ip netns add probe && ip link add bridge0 type bridge && \
            ip link add probe0 type veth peer name probe1 netns probe && nft add table ip probe && \
            nsenter --net=/run/netns/probe true
            """
        do {
            try ChaosTool.run(wrapper + ["sh", "-c", trial], scratch: scratch)
            return nil
        } catch {
            return error.message
        }
    }

    /// Runs this program inside; gives its exit code.
    static func run(_ arguments: [String]) async throws -> Int32 {
        let (process, leash) = try start(arguments)
        let end = Task.detached { await waitForEnd(of: process) }
        return await withTaskCancellationHandler {
            let ended = await end.value
            leash.letGo()
            guard case .exited(let code) = ended else { return ExitStatus.failed.rawValue }
            return code
        } onCancel: {
            leash.letGo()
            Task.detached {
                try? await Task.sleep(for: grace)
                process.signal(SIGKILL)
            }
        }
    }

    private static func start(_ arguments: [String]) throws(CommandFailure) -> (RunningProcess, Leash) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .failed("can't make a pipe") }
        // Nobody else may hold the writing end, or it never ends.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let leash = Leash(ends[1])
        let pid = try Spawn.start(
            wrapper + [DemoProcess.program] + arguments, environment: ["PATH": ChaosTool.searchPath],
            streams: Spawn.Streams(input: ends[0], output: nil, error: nil))
        return (RunningProcess(pid: pid), leash)
    }

    private static func waitForEnd(of process: RunningProcess) async -> RunningProcess.End {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: process.wait()) }
        }
    }

    /// Inside: calls back when standard input ends, which means that nobody wants the run any more.
    static func whenReleased(_ body: @escaping @Sendable () -> Void) {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { return body() }
            }
        }
    }
}

/// The writing end of the standard input of a process inside.
private final class Leash: Sendable {
    private let file: Mutex<Int32>

    init(_ file: Int32) {
        self.file = Mutex(file)
    }

    func letGo() {
        file.withLock { file in
            if file >= 0 { close(file) }
            file = -1
        }
    }
}
