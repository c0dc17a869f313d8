import Jobboard

/// What clients may make the cluster remember of them, and on how many boards.
extension Budget {
    static let sessions = [presentedSessions, clusterSessions, sessionAnswers, sessionBytes, retainedBytes, boards, memory]

    package static let presentedSessions = Budget(
        "presented_sessions", per: .connection, 64, .count, meaning: "Sessions that are in use on a connection.",
        whenExceeded: "The session is refused as `overloaded`.")

    package static let clusterSessions = Budget(
        "sessions", per: .cluster, BoardLimits().sessions, .count,
        meaning: "Live sessions. One that has done nothing ends after a minute.",
        whenExceeded: "New sessions are refused as `overloaded`.")

    package static let sessionAnswers = Budget(
        "session_answers", per: .session, BoardLimits().sessionWindow, .count,
        meaning: "Answers kept for requests that the client has not acknowledged.",
        whenExceeded: "The lowest is forgotten; its request is refused with outcome `unknown`.")

    package static let sessionBytes = Budget(
        "session_bytes", per: .session, BoardLimits().sessionBytes, .bytes, meaning: "What these answers count for.",
        whenExceeded: "The lowest is forgotten.")

    package static let retainedBytes = Budget(
        "retained_bytes", per: .cluster, BoardLimits().retainedBytes, .bytes,
        meaning: "What the kept answers of all sessions count for.",
        whenExceeded: "A session that keeps most loses its lowest.")

    package static let memory = Budget(
        "memory", per: .node, 40, .percent,
        meaning: "What jobs, kept answers, sessions and boards count for: `memory_bytes`, the least of all nodes'.",
        whenExceeded: "From 90 % on posts are refused as `read_only`; past it follow-ups, results and failures too.")

    package static let boards = Budget(
        "boards", per: .cluster, BoardLimits().boards, .count,
        meaning: "Boards with jobs on them, in the trash, or complete and remembered.",
        whenExceeded: "A post to a new one is refused as `overloaded`.")
}
