import Jobboard
import JobboardClient
import Synchronization

/// Watchers of the board, who note how long after its posting was begun they are told of a job.
final class BenchWatch: Sendable {
    private struct State {
        var postings: [JobID: (at: ContinuousClock.Instant, left: Int)] = [:]
        /// While a measurement is under way.
        var recorder: BenchRecorder?
    }

    private let watchers: Int
    /// The place of the operation "told".
    private let operation: Int
    private let state = Mutex(State())

    init(watchers: Int, operation: Int) {
        self.watchers = watchers
        self.operation = operation
    }

    func posting(_ job: JobID) {
        state.withLock { $0.postings[job] = (.now, watchers) }
    }

    func record(in recorder: BenchRecorder?) {
        state.withLock { $0.recorder = recorder }
    }

    /// One watcher, until the task is cancelled.
    func run(_ client: JobboardClient) async throws {
        for try await event in client.watch() where event.kind == .posted { told(event.job) }
    }

    private func told(_ job: JobID) {
        let now = ContinuousClock.now
        let (recorder, start) = state.withLock { state -> (BenchRecorder?, ContinuousClock.Instant?) in
            guard let posting = state.postings[job] else { return (nil, nil) }
            state.postings[job] = posting.left > 1 ? (posting.at, posting.left - 1) : nil
            return (state.recorder, posting.at)
        }
        guard let recorder, let start else { return }
        recorder.note(BenchRound.Done(count: 0, times: [(operation, (now - start).wholeNanoseconds)]))
    }
}
