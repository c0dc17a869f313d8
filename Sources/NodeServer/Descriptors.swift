import Foundation
import Glibc

/// How many files and sockets this process may have open, and what they are kept for.
package enum Descriptors {
    /// With fewer a node could not serve anybody beside its files and the other nodes.
    package static let minimum = 256

    /// Raises the soft limit to the hard one and gives what is in force then.
    package static func raiseLimit() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return minimum }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(min(limit.rlim_cur, 1 << 20))
    }

    /// Kept for what is neither a client's connection nor counted by `PosixDisk`: standard streams, event loops and listening
    /// sockets (about 20), streams to and from up to 14 other nodes with a second one each while one is replaced (56), name
    /// look-ups; and for files that the log, its snapshots and the preparation of segments open meanwhile.
    private static let kept = 128

    /// How many connections of clients there may be, when so many descriptors are open for files.
    static func connections(limit: Int, files: Int, peerGreeting: Int) -> Int {
        max(16, limit - kept - peerGreeting - files)
    }

    /// How many descriptors are open, by counting them.
    static func count() -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }
}
