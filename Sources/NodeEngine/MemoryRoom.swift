import Jobboard

/// Whether the memory of the cluster's nodes has room for more jobs.
///
/// The state counts for as many bytes on each node (`StateCost`), and each node reports how many it can hold; the least
/// decides. New jobs are refused from nine tenths of it on. The rest is a reserve for what works jobs off: follow-up jobs,
/// results and failures are refused only when it is used up, and claims, extends and plain abandons and consumes never.
struct MemoryRoom: Sendable {
    /// What the nodes can hold; nil for no limit.
    private(set) var limit: UInt64?
    /// What the state counts for.
    private(set) var used: UInt64 = 0
    /// What the commands may add that are on their way through the log.
    private(set) var underWay: UInt64 = 0
    /// Posts are refused. It ends a little below where it began, so that it does not come and go with each job.
    private(set) var isShort = false

    /// At the beginning of a turn.
    mutating func refresh(used: Int, limit: UInt64?) {
        self.used = UInt64(used)
        self.limit = limit
        guard let limit else { return isShort = false }
        isShort = total >= (isShort ? Self.part(limit, 875) : Self.part(limit, 900))
    }

    /// Why the command can't be taken; nil when it can, which then counts as under way.
    mutating func refusal(of command: Command) -> JobboardError? {
        let growth = UInt64(StateCost.growth(by: command))
        guard growth > 0 else { return nil }
        if let limit, let reason = Self.refusal(of: command, total: total + growth, isShort: isShort, limit: limit) {
            if case .post = command { isShort = true }
            return JobboardError(.readOnly, reason)
        }
        underWay += growth
        return nil
    }

    private static func refusal(of command: Command, total: UInt64, isShort: Bool, limit: UInt64) -> String? {
        switch command {
        case .post where isShort || total > part(limit, 900):
            "the jobs take nearly all of the memory that the nodes have for them (\(limit) bytes); no jobs are posted until there "
                + "is room again"
        case .consume where total > limit, .abandon where total > limit:
            "the jobs take all of the memory that the nodes have for them (\(limit) bytes)"
        default: nil
        }
    }

    /// The command has come out of the log, or never will.
    mutating func settled(_ command: Command) {
        let growth = UInt64(StateCost.growth(by: command))
        precondition(growth <= underWay, "more memory is settled than was under way")
        underWay -= growth
    }

    mutating func nothingIsUnderWay() { underWay = 0 }

    private var total: UInt64 { used + underWay }

    private static func part(_ limit: UInt64, _ thousandths: UInt64) -> UInt64 {
        limit / 1000 * thousandths + limit % 1000 * thousandths / 1000
    }
}
