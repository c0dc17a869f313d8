import Simulation
import Testing

@Suite struct DeadStreamTests {
    @Test func `a stream that is open and delivers nothing is closed, and what it swallowed is sent again`() throws {
        var plan = FaultPlan()
        plan.deadStreamEvery = 500
        var sights = Sights()
        for seed in UInt64(1)...8 {
            var cluster = SimulatedCluster(seed: seed, nodes: 3, plan: plan)
            sights.add(try cluster.run(milliseconds: 12_000).sights)
        }
        #expect(sights[.deadStreams] > 0)
        #expect(sights[.deadStreamsClosed] > 0)
    }
}
