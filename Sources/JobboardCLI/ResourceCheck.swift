import Foundation
import Synchronization

/// Finds out, before anything is begun, whether there are threads and descriptors for it. The libraries below us wait for
/// ever for a thread that the limit on processes (`ulimit -u`) forbids, or end the process with a trap.
enum ResourceCheck {
    private static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
    /// Beside those that are there: tasks and sockets a processor each, timers, signals, the commands of a worker.
    private static var neededThreads: Int { 2 * processors + 6 }
    /// Three for a thread with sockets, and some for what it all is about.
    private static var neededDescriptors: Int { 3 * processors + 18 }

    /// Holds threads up until all are there.
    private final class Gate: Sendable {
        let lock = Mutex(())
    }

    static func run() throws(CommandFailure) {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < neededDescriptors {
            throw .failed("the limit on open files is \(limit.rlim_cur); \(neededDescriptors) are needed (ulimit -n)")
        }
        try checkThreads()
    }

    private static func checkThreads() throws(CommandFailure) {
        let gate = Gate()
        var threads: [pthread_t] = []
        var code: Int32 = 0
        gate.lock.withLock { _ in
            while threads.count < neededThreads, code == 0 {
                var thread = pthread_t()
                let argument = Unmanaged.passRetained(gate)
                code = pthread_create(&thread, nil, pass, argument.toOpaque())
                if code == 0 { threads.append(thread) } else { argument.release() }
            }
        }
        for thread in threads { pthread_join(thread, nil) }
        guard code != 0 else { return }
        throw .failed(
            "only \(threads.count) of \(neededThreads) threads can be had (\(String(cString: strerror(code)))): "
                + "look at the limits on processes and memory, such as ulimit -u")
    }

    private static let pass: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        if let argument { Unmanaged<Gate>.fromOpaque(argument).takeRetainedValue().lock.withLock { _ in } }
        return nil
    }
}
