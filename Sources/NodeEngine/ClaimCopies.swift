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
    /// Of one claim; further ones are refused. A client sends a copy when a connection broke or an answer is late.
    static let perClaim = 16

    private struct UnderWay: Sendable {
        /// It was cancelled, so it does not wait when it gets nothing.
        var isCancelled = false
        var copies: [Write] = []
    }

    enum Joined {
        case noCopy
        case joined
        case tooMany
    }

    // Only looked up, never walked.
    private var underWay: [RequestIdentity: UnderWay] = [:]
    /// Of the claims that would wait.
    private var clients: [ClientReference: RequestIdentity] = [:]
    /// Copies of all claims together.
    private(set) var copyCount = 0

    var count: Int { underWay.count }
    /// In no order.
    var identities: Set<RequestIdentity> { Set(underWay.keys) }

    /// The claim goes to the log.
    mutating func add(_ write: Write) {
        let identity = RequestIdentity(write.call)
        underWay[identity] = UnderWay()
        if write.waits { clients[write.client] = identity }
    }

    /// Whether a copy of the claim is on its way; this one shares its answer then.
    mutating func join(_ write: Write, limit: Int) -> Joined {
        guard !underWay.isEmpty, let place = underWay.index(forKey: RequestIdentity(write.call)) else { return .noCopy }
        guard copyCount < limit, underWay.values[place].copies.count < Self.perClaim else { return .tooMany }
        underWay.values[place].copies.append(write)
        copyCount += 1
        return .joined
    }

    /// The client no longer waits for a claim that is under way.
    mutating func cancel(_ client: ClientReference) {
        guard let identity = clients[client] else { return }
        underWay[identity]?.isCancelled = true
    }

    /// The claim has come out of the log: what else waits for its outcome, and whether it was cancelled.
    mutating func remove(_ write: Write) -> (copies: [Write], wasCancelled: Bool) {
        if write.waits { clients[write.client] = nil }
        guard let claim = underWay.removeValue(forKey: RequestIdentity(write.call)) else { return ([], false) }
        copyCount -= claim.copies.count
        return (claim.copies, claim.isCancelled)
    }

    mutating func removeAll() { self = ClaimCopies() }

    func checkInvariants() {
        precondition(clients.count <= underWay.count, "more clients wait for claims under way than there are")
        precondition(
            underWay.values.reduce(0) { $0 + $1.copies.count } == copyCount, "the count of copies differs from a recount")
    }
}
