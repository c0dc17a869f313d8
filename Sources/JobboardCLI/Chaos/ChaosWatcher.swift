import Consensus
import Jobboard
import JobboardClient
import Synchronization

/// Watches all boards from the first event on, at one node and then another: each event once and in order.
final class ChaosWatcher: Sendable {
    typealias Instant = ContinuousClock.Instant

    let name: String
    private let stage: ChaosStage
    private let ledger: EventLedger
    private let notes: ChaosNotes
    private let number: Int

    private struct State {
        var next: UInt64 = 1
        var lastEvent = ContinuousClock.now
    }

    private let state = Mutex(State())

    init(number: Int, _ stage: ChaosStage, _ ledger: EventLedger, _ notes: ChaosNotes) {
        name = "watcher-\(number)"
        self.number = number
        self.stage = stage
        self.ledger = ledger
        self.notes = notes
    }

    /// The position of the first event not seen, and when the last one came.
    var reading: (next: UInt64, lastEvent: Instant) { state.withLock { ($0.next, $0.lastEvent) } }

    /// Until the task is cancelled.
    func run(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        var place = number
        while !Task.isCancelled {
            let client = try stage.makeClient(beginningWith: place, timeout: .seconds(5))
            await watch(client, atMost: 50 + random.below(2000))
            await client.shutdown()
            if Task.isCancelled { return }
            notes.count(.resumes)
            place += 1
        }
    }

    private func watch(_ client: JobboardClient, atMost limit: UInt64) async {
        var left = limit
        do throws(JobboardError) {
            for try await event in client.watchAllBoards(from: reading.next) {
                take(event)
                left -= 1
                if left == 0 { return }
            }
        } catch {
            if error.code == .compacted { return await startAnew(client) }
            notes.find("\(name)'s watch ended: \(error)")
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// What is kept no longer is told, and not left out in silence; then it goes on from what happens now.
    private func startAnew(_ client: JobboardClient) async {
        notes.count(.compacted)
        var iterator = client.watchAllBoards().makeAsyncIterator()
        guard let event = try? await iterator.next() else { return }
        let next = reading.next
        if event.position < next { notes.find("\(name) was told that \(next) is compacted, and then \(event.position)") }
        state.withLock { $0.next = event.position }
        take(event)
    }

    private func take(_ event: Event) {
        let expected = state.withLock { state in
            defer { state = State(next: event.position + 1) }
            return state.next
        }
        notes.count(.watched)
        if event.position != expected { notes.find("\(name) expected event \(expected) and got \(event.position)") }
        ledger.note(event, from: name)
    }
}
