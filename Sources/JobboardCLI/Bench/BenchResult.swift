/// What one measurement gave.
struct BenchResult: Sendable {
    /// Latencies in microseconds.
    struct Latency: Sendable, Equatable {
        var p50 = 0.0
        var p99 = 0.0
        var max = 0.0

        /// From nanoseconds, in any order; a percentile is the smallest sample that so many percent do not exceed.
        init(_ samples: [UInt64]) {
            guard !samples.isEmpty else { return }
            let sorted = samples.sorted()
            func at(_ percent: Int) -> Double {
                let rank = (sorted.count * percent + 99) / 100
                return Double(sorted[Swift.max(0, rank - 1)]) / 1000
            }
            p50 = at(50)
            p99 = at(99)
            max = at(100)
        }
    }

    let inFlight: Int
    let lives: Int
    let seconds: Double
    let post: Latency
    let claim: Latency
    let consume: Latency

    init(inFlight: Int, seconds: Double, samples: BenchLevel.Samples) {
        self.inFlight = inFlight
        self.seconds = seconds
        lives = samples.consume.count
        post = Latency(samples.post)
        claim = Latency(samples.claim)
        consume = Latency(samples.consume)
    }

    var livesPerSecond: Double { Double(lives) / Swift.max(seconds, 1e-9) }
}
