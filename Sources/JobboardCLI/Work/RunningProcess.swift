import Foundation
import Synchronization

/// A process of ours, until it has been waited for; signals never reach a stranger that got its number later.
final class RunningProcess: Sendable {
    enum End: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
        /// The system has no word of it: it was waited for elsewhere, or by the system itself where SIGCHLD is ignored.
        case unknown

        /// Waits, on the calling thread, for a process that has ended or will, and takes it off the system's list.
        static func reaping(_ pid: pid_t) -> End {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 {
                guard errno == EINTR else { return .unknown }
            }
            let number = status & 0x7f
            return number == 0 ? .exited(status >> 8 & 0xff) : .signalled(number)
        }
    }

    let pid: pid_t
    private let state = Mutex(State())

    private struct State {
        var isReaped = false
    }

    init(pid: pid_t) {
        self.pid = pid
    }

    /// Sends a signal to the process and what it started, unless it was waited for already.
    func signal(_ number: Int32) {
        state.withLock { state in
            guard !state.isReaped else { return }
            _ = kill(-pid, number)
        }
    }

    /// Waits, on the calling thread, until it has ended.
    func wait() -> End {
        var information = siginfo_t()
        // Left as a zombie first, so that its number stays taken until no signal can be on its way.
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            precondition(!state.isReaped, "process \(pid) was waited for twice")
            defer { state.isReaped = true }
            return .reaping(pid)
        }
    }
}
