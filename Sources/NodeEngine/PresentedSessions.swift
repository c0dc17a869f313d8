import Jobboard

/// Which session each number stands for that clients use on their connections.
///
/// A token is presented once on a connection; frames then carry the connection's own number. So nobody can act under a session
/// by guessing a number, and the cluster's numbers may be shown and logged.
struct PresentedSessions: Sendable {
    private struct Name: Hashable, Sendable {
        let connection: UInt64
        let local: UInt64
    }

    private struct Presented: Sendable {
        let key: SessionKey
        /// The session's number in the cluster, once it was looked up; it is never another one's.
        var number: UInt64?
    }

    // Only looked up, never walked.
    private var sessions: [Name: Presented] = [:]
    private var locals: [UInt64: [UInt64]] = [:]

    var count: Int { sessions.count }

    /// The client says which session `local` stands for. Sessions that have ended make room for new ones.
    mutating func present(
        _ key: SessionKey, as local: UInt64, on connection: UInt64, limit: Int, in machine: BoardMachine
    ) -> JobboardError? {
        let name = Name(connection: connection, local: local)
        if let known = sessions[name] {
            guard known.key == key else {
                return JobboardError(.invalidArgument, "\(local) stands for another session on this connection")
            }
            return nil
        }
        if locals[connection, default: []].count >= limit { forgetEnded(on: connection, in: machine) }
        guard locals[connection, default: []].count < limit else {
            return JobboardError(.overloaded, "\(limit) sessions are in use on this connection, its most")
        }
        sessions[name] = Presented(key: key)
        locals[connection, default: []].append(local)
        return nil
    }

    /// The cluster's number of a session, where it was looked up before. Most are, and it needs no look at the machine.
    func number(of local: UInt64, on connection: UInt64) -> UInt64? {
        sessions[Name(connection: connection, local: local)]?.number
    }

    /// Looks the number up; nil when no session was presented under `local`, or it is not there.
    mutating func lookUp(_ local: UInt64, on connection: UInt64, in machine: BoardMachine) -> UInt64? {
        let name = Name(connection: connection, local: local)
        guard let key = sessions[name]?.key, let number = machine.session(with: key) else { return nil }
        sessions[name]?.number = number
        return number
    }

    mutating func forget(_ connection: UInt64) {
        for local in locals.removeValue(forKey: connection) ?? [] {
            sessions[Name(connection: connection, local: local)] = nil
        }
    }

    private mutating func forgetEnded(on connection: UInt64, in machine: BoardMachine) {
        locals[connection]?.removeAll { local in
            let name = Name(connection: connection, local: local)
            guard let known = sessions[name], machine.session(with: known.key) == nil else { return false }
            sessions[name] = nil
            return true
        }
    }
}
