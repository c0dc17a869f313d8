import Consensus
import Jobboard
import WireFormat

/// What requests may take between their arrival and their answer.
extension Budget {
    static let requests = [
        waitingBytes, earlyWrites, claimCopies, parkedRequests, parkedBytes, pendingReads, pendingReadBytes,
        listingsPerConnection,
        answerBytesPerTurn, scannedRecordsPerTurn, parkedAnswersPerTurn, digestRequests,
    ]

    package static let waitingBytes = Budget(
        "waiting_bytes", per: .node, 16 << 20, .bytes, meaning: "Commands that wait at the leader to be proposed.",
        whenExceeded: "Writes are refused as `overloaded`.")

    package static let earlyWrites = Budget(
        "early_writes", per: .node, 10_000, .count,
        meaning: "Writes that came before a new leader's first entry was committed.",
        whenExceeded: "Writes are refused as `overloaded`.")

    package static let claimCopies = Budget(
        "claim_copies", per: .node, 10_000, .count,
        meaning: "Copies of claims that wait for the outcome of the one that is under way; at most 16 of one claim.",
        whenExceeded: "The copy is refused as `overloaded`.")

    package static let parkedRequests = Budget(
        "parked_requests", per: .node, 100_000, .count, meaning: "Parked claims, waits and watches.",
        whenExceeded: "The request is refused as `overloaded`.")

    package static let parkedBytes = Budget(
        "parked_bytes", per: .node, 64 << 20, .bytes, meaning: "What parked claims, waits and watches take.",
        whenExceeded: "The request is refused as `overloaded`.")

    package static let pendingReads = Budget(
        "pending_reads", per: .node, 100_000, .count,
        meaning: "Reads, and writes that change nothing, from their arrival to their answer.",
        whenExceeded: "The request is refused as `overloaded`.")

    package static let pendingReadBytes = Budget(
        "pending_read_bytes", per: .node, 64 << 20, .bytes, meaning: "What those requests take, without their answers.",
        whenExceeded: "The request is refused as `overloaded`.")

    package static let listingsPerConnection = Budget(
        "listings_per_connection", per: .connection, 64, .count, meaning: "Listings that are not answered yet.",
        whenExceeded: "The listing is refused as `overloaded`.")

    package static let answerBytesPerTurn = Budget(
        "answer_bytes_per_turn", per: .turn, 1 << 20, .bytes,
        meaning: "Answers to reads and events for watches; what is under way when it is used up is finished.",
        whenExceeded: "The rest is answered in following turns, one connection after another.")

    package static let scannedRecordsPerTurn = Budget(
        "scan_records_per_turn", per: .turn, 8192, .count, meaning: "Jobs and events that are looked at for such answers.",
        whenExceeded: "The rest is answered in following turns, one connection after another.")

    package static let parkedAnswersPerTurn = Budget(
        "parked_answers_per_turn", per: .turn, 4096, .count,
        meaning: "Parked requests that are answered, or whose time is up, or whose connection was closed.",
        whenExceeded: "The rest is answered in following turns.")

    package static let digestRequests = Budget(
        "digest_requests", per: .node, 256, .count,
        meaning: "Requests that wait for the digest of the whole state, which is computed once a second at most.",
        whenExceeded: "The request is refused as `overloaded`.")
}

extension Engine {
    /// How much of the budgets that the engine keeps is in use. Those of sockets and threads are added by whoever runs it.
    var budgetReadings: [BudgetReading] {
        [
            reading(.waitingBytes, used: waiting.byteCount, limit: settings.waitingLimit),
            reading(.earlyWrites, used: early.count, limit: settings.earlyWrites),
            reading(.claimCopies, used: claimCopies.copyCount, limit: settings.claimCopies),
            reading(.parkedRequests, used: parkedCount, limit: settings.parkedRequests),
            reading(.parkedBytes, used: parkedBytes, limit: settings.parkedBytes),
            reading(.pendingReads, used: reads.count, limit: settings.pendingReads),
            reading(.pendingReadBytes, used: reads.byteCount, limit: settings.pendingReadBytes),
            reading(.digestRequests, used: digests.count, limit: settings.digestRequests),
            reading(.heldClaims, used: heldClaims.count, limit: settings.heldClaims),
            reading(.effectlessAnswers, used: effectless.count, limit: settings.effectlessAnswers),
            reading(.clusterSessions, used: state.machine.sessionCount, limit: state.machine.limits.sessions),
            reading(.retainedBytes, used: state.machine.retainedBytes, limit: state.machine.limits.retainedBytes),
            reading(.boards, used: state.machine.boardCount, limit: state.machine.limits.boards),
            reading(
                .memory, used: state.machine.accountedBytes,
                limit: Int(clamping: replica.clusterMemory ?? settings.replica.memoryBytes)),
        ]
    }

    private func reading(_ budget: Budget, used: Int, limit: Int) -> BudgetReading {
        BudgetReading(name: budget.name, used: UInt64(used), limit: UInt64(limit), refused: refusals[budget] ?? 0)
    }
}
