import Benchmark
import Workloads

/// What the hot path spends its time on, piece by piece. Whole clusters are measured by `jobboard bench`, and instructions
/// are counted by `Scripts/check-benchmarks`.
///
///     JOBBOARD_BENCHMARKS=1 swift package benchmark
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration.metrics = [.wallClock, .cpuTotal, .throughput]
    for workload in Workload.all {
        Benchmark(workload.name, configuration: .init(scalingFactor: .one)) { benchmark in
            let work = try workload.prepare()
            benchmark.startMeasurement()
            try work(benchmark.scaledIterations.count)
        }
    }
}
