import Consensus
import Foundation
import Jobboard
import NodeEngine

/// How long a node's turn is held up by a snapshot that another thread writes: the longest `apply` of a block of 100
/// commands while the copy is alive, beside the longest without one. And what the snapshot takes: time and bytes, to
/// write and to read.
///
///     JOBBOARD_STALLS=1 swift run -c release SnapshotStalls [jobs] [blocks]
///     JOBBOARD_STALLS=1 swift run -c release SnapshotStalls lives [jobs on the board] [lives]
///
/// The second form only lets jobs live (post, claim, consume), to count instructions by `perf stat`.
@main
struct SnapshotStalls {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        let numbers = arguments.compactMap { Int($0) }
        if arguments.first == "lives" {
            var load = Load(jobs: numbers.first ?? 0)
            let seconds = time { load.live(numbers.dropFirst().first ?? 1_000_000) }.cpu
            print("lives: \(Int(Double(numbers.dropFirst().first ?? 1_000_000) / seconds)) a second of CPU")
            return
        }
        measure(jobs: numbers.first ?? 1_000_000, blocks: numbers.dropFirst().first ?? 4000)
    }

    private static func measure(jobs: Int, blocks: Int) {
        var load = Load(jobs: jobs)
        print("\(jobs) jobs on the board, \(load.state.history.count) events remembered")
        report("without a copy", (0..<blocks).map { _ in load.applyBlock() })

        let writer = Writer(load.state)
        report("while a copy is written", alive(writer, &load, blocks))
        print("written beside that: \(writer.result)")
        report("after it was let go", (0..<blocks).map { _ in load.applyBlock() })
        read(load)
    }

    /// Applies blocks until the copy is written, and at least so many.
    private static func alive(_ writer: Writer, _ load: inout Load, _ blocks: Int) -> [Span] {
        var spans: [Span] = []
        while spans.count < blocks || !writer.isDone { spans.append(load.applyBlock()) }
        return spans
    }

    private static func read(_ load: Load) {
        var pieces: [[UInt8]] = []
        let writing = time {
            var encoder = SnapshotEncoder(load.state)
            while let piece = encoder.next() { pieces.append(piece) }
        }
        let bytes = pieces.reduce(0) { $0 + $1.count }
        print("written alone: \(bytes) bytes in \(writing)")
        var again: AppliedState?
        let reading = time {
            var decoder = SnapshotDecoder(limits: BoardLimits(), rememberedEvents: 100_000)
            do {
                for piece in pieces { try decoder.take(piece) }
                again = try decoder.finish()
            } catch {
                preconditionFailure("\(error)")
            }
        }
        precondition(again?.machine.fingerprint() == load.state.machine.fingerprint(), "the state that was read is another one")
        print("read: \(reading)")
    }

    private static func report(_ what: String, _ spans: [Span]) {
        func line(_ name: String, _ seconds: [Double]) -> String {
            let sorted = seconds.sorted()
            func text(_ value: Double) -> String { String(format: "%.3f", value * 1000) }
            return "\(name): first \(text(seconds[0])) median \(text(sorted[sorted.count / 2]))"
                + " p99 \(text(sorted[sorted.count * 99 / 100])) longest \(text(sorted[sorted.count - 1]))"
        }
        print("\(what): \(spans.count) blocks, ms; \(line("CPU", spans.map(\.cpu))); \(line("clock", spans.map(\.wall)))")
    }
}

/// Writes a snapshot on a thread of its own.
private final class Writer: @unchecked Sendable {
    private let lock = NSLock()
    private var (done, text) = (false, "")
    private var encoder: SnapshotEncoder?

    init(_ state: AppliedState) {
        encoder = SnapshotEncoder(state)
        Thread { [self] in write() }.start()
    }

    private func write() {
        var bytes = 0
        let span = time {
            while let piece = encoder?.next() { bytes += piece.count }
        }
        lock.withLock { (done, text) = (true, "\(bytes) bytes in \(span)") }
    }

    var isDone: Bool { lock.withLock { done } }
    var result: String { lock.withLock { text } }
}

/// Seconds that something took: of the thread's processor time, which leaves out what other programs took, and by the clock.
struct Span: CustomStringConvertible {
    var cpu: Double
    var wall: Double
    var description: String { String(format: "%.3f s of CPU, %.3f s by the clock", cpu, wall) }
}

func time(_ work: () -> Void) -> Span {
    func now(_ clock: clockid_t) -> Double {
        var moment = timespec()
        clock_gettime(clock, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }
    let (cpu, wall) = (now(CLOCK_THREAD_CPUTIME_ID), now(CLOCK_MONOTONIC))
    work()
    return Span(cpu: now(CLOCK_THREAD_CPUTIME_ID) - cpu, wall: now(CLOCK_MONOTONIC) - wall)
}
