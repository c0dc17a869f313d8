import WireFormat

/// What requests may take between their arrival and their answer.
extension Budget {
    static let requests = [waitingBytes, earlyWrites, parkedRequests]

    package static let waitingBytes = Budget(
        "waiting_bytes", per: .node, 16 << 20, .bytes, meaning: "Commands that wait at the leader to be proposed.",
        whenExceeded: "Writes are refused as `overloaded`.")

    package static let earlyWrites = Budget(
        "early_writes", per: .node, 10_000, .count,
        meaning: "Writes that came before a new leader's first entry was committed.",
        whenExceeded: "Writes are refused as `overloaded`.")

    package static let parkedRequests = Budget(
        "parked_requests", per: .node, 100_000, .count, meaning: "Parked claims, waits and watches.",
        whenExceeded: "The request is refused as `overloaded`.")
}

extension Engine {
    /// How much of the budgets that the engine keeps is in use. Those of sockets and threads are added by whoever runs it.
    var budgetReadings: [BudgetReading] {
        [
            reading(.waitingBytes, used: waiting.byteCount, limit: settings.waitingBytes),
            reading(.earlyWrites, used: early.count, limit: settings.earlyWrites),
            reading(.parkedRequests, used: parkedCount, limit: settings.parkedRequests),
        ]
    }

    private func reading(_ budget: Budget, used: Int, limit: Int) -> BudgetReading {
        BudgetReading(name: budget.name, used: UInt64(used), limit: UInt64(limit))
    }
}
