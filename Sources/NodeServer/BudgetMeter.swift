import Foundation
import NodeEngine
import WireFormat

/// What waits in the queues of a node's threads, against a budget of all of them together.
///
/// `@unchecked`: what changes is guarded by `lock`.
final class BudgetMeter: @unchecked Sendable {
    private let budget: Budget
    private let limit: Int
    private let lock = NSLock()
    private var used = 0
    private var refused: UInt64 = 0

    init(_ budget: Budget, _ budgets: Budgets = Budgets()) {
        self.budget = budget
        limit = budgets[budget]
    }

    /// Takes so much, or nothing of it and gives false. What is larger than all of the budget is taken when nothing else is there.
    func take(_ count: Int = 1) -> Bool {
        lock.withLock {
            guard used == 0 || used + count <= limit else {
                refused += 1
                return false
            }
            used += count
            return true
        }
    }

    func giveBack(_ count: Int = 1) {
        lock.withLock { used = max(0, used - count) }
    }

    var reading: BudgetReading {
        lock.withLock { BudgetReading(name: budget.name, used: UInt64(used), limit: UInt64(limit), refused: refused) }
    }
}

/// What other nodes ask of a node's threads.
struct PeerQueues: Sendable {
    let questions: BudgetMeter
    let blocks: BudgetMeter

    init(_ budgets: Budgets = Budgets()) {
        questions = BudgetMeter(.peerQuestions, budgets)
        blocks = BudgetMeter(.repairBytes, budgets)
    }

    var readings: [BudgetReading] { [questions.reading, blocks.reading] }
}
