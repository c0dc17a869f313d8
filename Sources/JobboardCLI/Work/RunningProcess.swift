import Foundation
import Synchronization

/// A process of ours, until it has been waited for; signals never reach a stranger that got its number later.
final class RunningProcess: Sendable {
    enum End: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
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

    /// True when it has ended, waited for or not.
    var hasEnded: Bool {
        state.withLock { state in
            guard !state.isReaped else { return true }
            var information = siginfo_t()
            return waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_signo != 0
        }
    }

    /// Waits, on the calling thread, until it has ended.
    func wait() -> End {
        var information = siginfo_t()
        // Left as a zombie first, so that its number stays taken until no signal can be on its way.
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            precondition(!state.isReaped, "process \(pid) was waited for twice")
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            state.isReaped = true
            let number = status & 0x7f
            return number == 0 ? .exited(status >> 8 & 0xff) : .signalled(number)
        }
    }
}
