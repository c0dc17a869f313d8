import NodeEngine
import Testing
import WireFormat

@testable import NodeServer

@Suite struct BudgetMeterTests {
    @Test func `what would go past the limit is refused and counted, until room is given back`() {
        var budgets = Budgets()
        budgets[.peerQuestions] = 2
        let meter = BudgetMeter(.peerQuestions, budgets)
        #expect(meter.take() && meter.take() && !meter.take())
        #expect(meter.reading == BudgetReading(name: "peer_questions", used: 2, limit: 2, refused: 1))
        meter.giveBack()
        #expect(meter.take() && !meter.take())
        #expect(meter.reading.refused == 2)
    }

    @Test func `one block that is larger than the budget is taken alone`() {
        var budgets = Budgets()
        budgets[.repairBytes] = 100
        let meter = BudgetMeter(.repairBytes, budgets)
        #expect(meter.take(150) && !meter.take(1))
        meter.giveBack(150)
        #expect(meter.take(60) && !meter.take(60))
    }
}
