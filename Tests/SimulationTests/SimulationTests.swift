import Foundation
import Simulation
import Testing

@Suite struct SimulationTests {
    /// How many seeds a sweep takes; more with `SIMULATION_SEEDS`.
    static let seeds = ProcessInfo.processInfo.environment["SIMULATION_SEEDS"].flatMap { UInt64($0) } ?? 60

    @Test(arguments: [1, 3, 5]) func nothingIsLostOrDoubledWhateverGoesWrong(nodes: Int) throws {
        var total = 0
        for seed in 1...Self.seeds {
            do {
                var cluster = SimulatedCluster(seed: seed, nodes: nodes)
                total += try cluster.run(milliseconds: 5000).acknowledged
            } catch {
                Issue.record("seed \(seed) of \(nodes) nodes: \(error)")
                return
            }
        }
        #expect(total > 100 * Int(Self.seeds), "the clients must get something done, or nothing was tested")
    }

    @Test func aSeedReplaysARunExactly() throws {
        for seed in [3, 17] as [UInt64] {
            var first = SimulatedCluster(seed: seed, nodes: 3)
            var second = SimulatedCluster(seed: seed, nodes: 3)
            #expect(try first.run(milliseconds: 2000) == second.run(milliseconds: 2000))
        }
    }
}
