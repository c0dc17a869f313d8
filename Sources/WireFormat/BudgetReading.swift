/// How much of one budget is in use at a node. What the budgets are, and their limits, is in `NodeEngine`'s table.
package struct BudgetReading: Sendable, Equatable {
    /// As in the table of budgets.
    package var name: String
    package var used: UInt64
    package var limit: UInt64
    /// How often something was refused, shed or dropped for this budget since the node's process began.
    package var refused: UInt64

    package init(name: String, used: UInt64, limit: UInt64, refused: UInt64 = 0) {
        self.name = name
        self.used = used
        self.limit = limit
        self.refused = refused
    }
}
