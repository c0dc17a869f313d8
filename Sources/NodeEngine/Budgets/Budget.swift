/// One bound on what something outside a node can take of it: connections, bytes, records or time.
///
/// All of them together are the table of budgets (`Budget.all`): `Docs/Budgets.md` prints it, `NodeStatus.budgets` reports
/// from it, and the limits of decoders, queues and invariants are derived from it, so that they add up. A limit is enforced
/// before the cost arises (DESIGN.md, section 9a).
package struct Budget: Sendable, Hashable {
    /// What a limit counts.
    package enum Unit: String, Sendable {
        case count
        case bytes
        case milliseconds
        /// Of what the machine has.
        case percent
    }

    /// What has this limit: each one of them.
    package enum Scope: String, Sendable {
        case node
        case connection
        case address
        case session
        case request
        case turn
        case cluster
    }

    /// As in metrics and in `status`, such as `unsent_bytes`.
    package let name: String
    package let scope: Scope
    package let unit: Unit
    /// By default.
    package let limit: Int
    /// What it bounds, in a sentence.
    package let meaning: String
    /// What happens to whatever would go past it, in a sentence.
    package let whenExceeded: String

    package init(_ name: String, per scope: Scope, _ limit: Int, _ unit: Unit, meaning: String, whenExceeded: String) {
        self.name = name
        self.scope = scope
        self.unit = unit
        self.limit = limit
        self.meaning = meaning
        self.whenExceeded = whenExceeded
    }

    package static func == (left: Budget, right: Budget) -> Bool { left.name == right.name }

    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Budget {
    /// The table of budgets.
    package static let all: [Budget] = requests + connectionBudgets + scans + peers + logs + sessions + answers + repairs

    /// The table as `Docs/Budgets.md` has it.
    package static var markdown: String {
        var lines = ["| budget | for each | limit | bounds | past it |", "|---|---|---|---|---|"]
        for budget in all {
            lines.append(
                "| `\(budget.name)` | \(budget.scope.rawValue) | \(budget.limitText) | \(budget.meaning) | \(budget.whenExceeded) |"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var limitText: String {
        switch unit {
        case .count: "\(limit)"
        case .percent: "\(limit) % of the machine's"
        case .milliseconds: "\(limit) ms"
        case .bytes where limit % (1 << 20) == 0: "\(limit >> 20) MiB"
        case .bytes where limit % (1 << 10) == 0: "\(limit >> 10) KiB"
        case .bytes: "\(limit) bytes"
        }
    }
}

/// The limits in force at one node: those of the table, but for what the operator or a simulation has changed.
package struct Budgets: Sendable, Equatable {
    /// Only looked up, never walked.
    private var changed: [String: Int] = [:]

    package init() {}

    package subscript(budget: Budget) -> Int {
        get { changed[budget.name] ?? budget.limit }
        set { changed[budget.name] = newValue }
    }
}
