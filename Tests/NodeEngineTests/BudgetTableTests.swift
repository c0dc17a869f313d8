import Foundation
import NodeEngine
import Testing

@Suite struct BudgetTableTests {
    @Test func `every budget has a name of its own, a limit and two sentences`() {
        #expect(Set(Budget.all.map(\.name)).count == Budget.all.count)
        for budget in Budget.all {
            #expect(budget.name.allSatisfy { $0 == "_" || $0.isLowercase && $0.isASCII }, "\(budget.name)")
            #expect(budget.limit > 0, "\(budget.name)")
            #expect(budget.meaning.hasSuffix(".") && budget.whenExceeded.hasSuffix("."), "\(budget.name)")
        }
    }

    @Test func `the table in Docs is the table in code`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "Docs/Budgets.md"), encoding: .utf8)
        #expect(page.contains(Budget.markdown), "put this table into Docs/Budgets.md:\n\(Budget.markdown)")
    }
}
