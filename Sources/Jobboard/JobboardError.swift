/// Why something was not done, in a form to act on.
public struct JobboardError: Error, Sendable, Equatable {
    /// A word to switch on. New codes may come, so a switch needs a default.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The word used on every surface, such as `not_found`.
        public let rawValue: String

        /// A code from its word.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// No such job or board.
        public static let notFound = Code(rawValue: "not_found")
        /// The job can't be claimed now; the message says why.
        public static let unclaimable = Code(rawValue: "unclaimable")
        /// The same uuid was posted before with other content.
        public static let duplicate = Code(rawValue: "duplicate")
        /// The request makes no sense as it stands.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
        /// The request is larger than the limits allow.
        public static let tooLarge = Code(rawValue: "too_large")
        /// The node has too much to do; try again a little later.
        public static let overloaded = Code(rawValue: "overloaded")
        /// Nobody holds the job.
        public static let notClaimed = Code(rawValue: "not_claimed")
        /// Somebody else holds the job.
        public static let notOwner = Code(rawValue: "not_owner")
        /// The job was claimed again since this fence was given.
        public static let staleFence = Code(rawValue: "stale_fence")
        /// The session is gone, and with it the memory of its requests.
        public static let sessionExpired = Code(rawValue: "session_expired")
        /// No leader or no quorum in time.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The cluster takes no posts, for want of disk space.
        public static let readOnly = Code(rawValue: "read_only")
        /// The position asked for is no longer kept.
        public static let compacted = Code(rawValue: "compacted")
        /// The caller did not say who it is.
        public static let unauthorized = Code(rawValue: "unauthorized")
        /// The caller may not do this.
        public static let forbidden = Code(rawValue: "forbidden")
        /// The client or node was shut down.
        public static let closed = Code(rawValue: "closed")
        /// The other side does not know this operation.
        public static let unsupported = Code(rawValue: "unsupported")
        /// A fault of ours.
        public static let `internal` = Code(rawValue: "internal")
    }

    /// Whether the request had its effect.
    public enum Effect: UInt8, Sendable {
        /// It did not, and will not.
        case notApplied = 0
        /// It did.
        case applied = 1
        /// Nobody can tell; a retry inside the session can.
        case unknown = 2

        /// The word used on every surface.
        public var word: String {
            switch self {
            case .notApplied: "not_applied"
            case .applied: "applied"
            case .unknown: "unknown"
            }
        }
    }

    /// What to switch on.
    public var code: Code
    /// One line for people.
    public var message: String
    /// Whether the request had its effect.
    public var outcome: Effect
    /// The current owner, where that is the reason.
    public var owner: String?

    /// An error with its code and a line for people.
    public init(_ code: Code, _ message: String, outcome: Effect = .notApplied, owner: String? = nil) {
        self.code = code
        self.message = message
        self.outcome = outcome
        self.owner = owner
    }
}

extension JobboardError: CustomStringConvertible {
    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }
}
