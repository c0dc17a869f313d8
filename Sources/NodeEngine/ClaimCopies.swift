import Jobboard

/// What copies of one request have in common.
struct RequestIdentity: Hashable, Sendable {
    var session: UInt64
    var sequence: UInt64

    init(_ call: SessionCommand) {
        session = call.session
        sequence = call.sequence
    }
}

/// Claims of the next job that are in the log or on their way there, with the copies of them that came meanwhile.
///
/// A copy must not look for itself: it would find nothing where the first one takes the last job, and its client would
/// believe that it got none. So a copy waits for the first one's outcome.
struct ClaimCopies: Sendable {
    // Only looked up, never walked.
    private var copies: [RequestIdentity: [Write]] = [:]

    var count: Int { copies.count }
    /// In no order.
    var identities: Set<RequestIdentity> { Set(copies.keys) }

    /// The claim goes to the log.
    mutating func add(_ write: Write) { copies[RequestIdentity(write.call)] = [] }

    /// True when a copy of the claim is on its way; this one shares its answer then.
    mutating func join(_ write: Write) -> Bool {
        guard !copies.isEmpty, let place = copies.index(forKey: RequestIdentity(write.call)) else { return false }
        copies.values[place].append(write)
        return true
    }

    /// The claim has come out of the log: who else waits for its outcome.
    mutating func remove(_ write: Write) -> [Write] { copies.removeValue(forKey: RequestIdentity(write.call)) ?? [] }

    mutating func removeAll() { copies = [:] }
}
