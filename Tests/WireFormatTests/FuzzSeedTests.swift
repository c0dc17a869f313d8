import FuzzTargets
import Testing

/// Fuzzing starts from the golden bytes, so a new kind of message is fuzzed from its first day.
/// `UPDATE_FUZZ_SEEDS=1` writes those that are missing.
struct FuzzSeedTests {
    @Test func everyGoldenSampleIsAFuzzSeed() throws {
        for sample in GoldenSamples.commands {
            #expect(try Corpus.holds([1] + sample.bytes, as: sample.testDescription, of: "commands"))
        }
        let bodies = [
            ("requests", GoldenSamples.requests), ("responses", GoldenSamples.responses), ("peers", GoldenSamples.peers),
            ("transfers", GoldenSamples.transfers), ("greetings", GoldenSamples.handshakes),
        ]
        for (target, samples) in bodies {
            for sample in samples {
                #expect(try Corpus.holds(body(of: sample.bytes), as: sample.testDescription, of: target))
            }
        }
    }
}
