import Jobboard

/// What the process ends with; scripts hang on these numbers.
enum ExitStatus: Int32 {
    case ok = 0
    case failed = 1
    case usage = 2
    case notFound = 3
    /// Unclaimable, not owner, not claimed, stale fence, duplicate.
    case refused = 4
    case unavailable = 5
    case notAllowed = 6
    case nothingToClaim = 7
    case outcomeUnknown = 8

    /// The status for an error of the board. What nobody can tell goes before why.
    init(_ error: JobboardError) {
        if error.outcome == .unknown {
            self = .outcomeUnknown
            return
        }
        switch error.code {
        case .notFound, .compacted: self = .notFound
        case .unclaimable, .duplicate, .notClaimed, .notOwner, .staleFence: self = .refused
        case .invalidArgument, .tooLarge: self = .usage
        case .overloaded, .unavailable, .readOnly, .sessionExpired, .closed: self = .unavailable
        case .unauthorized, .forbidden: self = .notAllowed
        default: self = .failed
        }
    }
}
