import Testing

@testable import Simulation

@Suite("One log through power losses and rot")
struct LogTrialTests {
    @Test("frames of a tail that was cut off never come back, whatever rots", arguments: [110, 967, 11550])
    func cutOffTails(seed: UInt64) throws {
        try LogTrial.run(seed: seed)
    }

    @Test("every seed of a first few hundred holds")
    func sweep() throws {
        for seed in UInt64(1)...300 { try LogTrial.run(seed: seed) }
    }
}
