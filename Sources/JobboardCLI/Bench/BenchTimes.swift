import Histogram
import Synchronization

/// Latencies of one operation, to three digits whatever their size.
struct BenchTimes: Sendable {
    /// In nanoseconds.
    private var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)

    /// In microseconds.
    struct Percentiles: Sendable, Equatable {
        var p50 = 0.0
        var p99 = 0.0
        var p999 = 0.0
        var max = 0.0
    }

    var count: UInt64 { histogram.totalCount }

    mutating func add(nanoseconds: UInt64) {
        histogram.record(nanoseconds)
    }

    mutating func add(_ other: BenchTimes) {
        guard other.count > 0 else { return }
        histogram.add(other.histogram)
    }

    var percentiles: Percentiles {
        guard count > 0 else { return Percentiles() }
        func at(_ percent: Double) -> Double { Double(histogram.valueAtPercentile(percent)) / 1000 }
        return Percentiles(p50: at(50), p99: at(99), p999: at(99.9), max: Double(histogram.maxRecorded) / 1000)
    }
}

/// Where the tasks of one client note what they measured.
final class BenchRecorder: Sendable {
    struct Notes: Sendable {
        var count = 0
        var times: [BenchTimes]

        init(operations: Int) {
            times = Array(repeating: BenchTimes(), count: operations)
        }

        mutating func add(_ other: Notes) {
            count += other.count
            for place in times.indices { times[place].add(other.times[place]) }
        }
    }

    private let state: Mutex<Notes>

    init(operations: Int) {
        state = Mutex(Notes(operations: operations))
    }

    func note(_ done: BenchRound.Done) {
        state.withLock { notes in
            notes.count += done.count
            for time in done.times { notes.times[time.operation].add(nanoseconds: time.nanoseconds) }
        }
    }

    var notes: Notes { state.withLock { $0 } }
}
