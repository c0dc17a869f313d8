import Consensus

/// Questions for the digest of the whole state. One is computed at a time, beside the loop, and none begins within a second
/// of the one before: those who ask meanwhile share its result, which says what entry it is of.
struct DigestRequests: Sendable {
    static let pause: UInt64 = 1000

    private var waiting: [ClientReference] = []
    private var startedAt: UInt64?
    private var isUnderWay = false
    private var last: (index: LogIndex, digest: UInt64)?

    enum Decision {
        case compute
        case wait
        case answer(index: LogIndex, digest: UInt64)
        case refuse
    }

    var count: Int { waiting.count }

    mutating func ask(_ client: ClientReference, limit: Int, now: UInt64) -> Decision {
        if !isUnderWay, let last, let startedAt, now < startedAt + Self.pause {
            return .answer(index: last.index, digest: last.digest)
        }
        guard waiting.count < limit else { return .refuse }
        waiting.append(client)
        if isUnderWay { return .wait }
        isUnderWay = true
        startedAt = now
        return .compute
    }

    /// Those who wait for it.
    mutating func computed(index: LogIndex, digest: UInt64) -> [ClientReference] {
        isUnderWay = false
        last = (index, digest)
        defer { waiting = [] }
        return waiting
    }
}
