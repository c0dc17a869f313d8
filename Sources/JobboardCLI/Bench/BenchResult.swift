/// What one measurement gave.
struct BenchResult: Sendable {
    let seconds: Double
    /// Jobs, or reads.
    let count: Int
    /// Of each operation, in the mode's order.
    let latencies: [BenchTimes.Percentiles]
    let costs: BenchCosts
    /// The share of processor time that other machines took, from 0 to 1.
    let stolen: Double

    init(seconds: Double, notes: BenchRecorder.Notes, costs: BenchCosts, stolen: Double) {
        self.seconds = seconds
        count = notes.count
        latencies = notes.times.map(\.percentiles)
        self.costs = costs
        self.stolen = stolen
    }

    var perSecond: Double { Double(count) / max(seconds, 1e-9) }
}

/// The repetitions of one measurement.
struct BenchSeries: Sendable {
    let mode: BenchMode
    let inFlight: Int
    let results: [BenchResult]

    func spread(_ figure: (BenchResult) -> Double) -> Spread {
        Spread(results.map(figure))
    }

    var perSecond: Spread { spread(\.perSecond) }

    /// Nodes whose processor time is known in all repetitions.
    var measuredNodes: Int { results.map(\.costs.nodeMicroseconds.count).min() ?? 0 }

    /// Of each operation its name and latencies, each percentile the median of all repetitions', but the greatest maximum.
    var latencies: [(operation: String, percentiles: BenchTimes.Percentiles)] {
        mode.operations.enumerated().map { place, name in
            let percentiles = BenchTimes.Percentiles(
                p50: spread { $0.latencies[place].p50 }.median, p99: spread { $0.latencies[place].p99 }.median,
                p999: spread { $0.latencies[place].p999 }.median, max: spread { $0.latencies[place].max }.highest)
            return (name, percentiles)
        }
    }
}
