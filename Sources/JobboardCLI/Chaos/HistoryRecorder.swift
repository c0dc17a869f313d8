import Foundation
import Jobboard
import Simulation
import Synchronization
import WireFormat

/// Writes down what clients ask and are told, in the form that the checker reads. All times come from one clock.
final class HistoryRecorder: Sendable {
    private static let pieceBytes = 64 << 10

    /// How often something was asked, and what came of it.
    struct Outcomes: Sendable, Equatable {
        var ok = 0
        var refused = 0
        var unknown = 0

        var all: Int { ok + refused + unknown }
    }

    /// A consume and a job that it posted along: both took place, or neither.
    struct FollowUp: Sendable, Equatable {
        var consumed: JobID
        var posted: JobID
    }

    private struct State {
        var writer = JSONWriter()
        var outcomes: [Simulation.Operation.Action: Outcomes] = [:]
        var followUps: [FollowUp] = []
        var failure: CommandFailure?
    }

    private let start = ContinuousClock.now
    private let file: Int32
    private let path: String
    private let meter: ProgressMeter
    private let state = Mutex(State())

    init(_ path: String, _ meter: ProgressMeter) throws(CommandFailure) {
        self.path = path
        self.meter = meter
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .failed("can't write \(path): \(String(cString: strerror(errno)))") }
    }

    deinit {
        _ = close(file)
    }

    /// Microseconds since the beginning.
    var now: UInt64 {
        let elapsed = (ContinuousClock.now - start).components
        return UInt64(elapsed.seconds) * 1_000_000 + UInt64(elapsed.attoseconds / 1_000_000_000_000)
    }

    /// Asks something and notes when, and what was answered. Nil when that is not known or it was refused.
    func record(
        _ asked: Simulation.Operation, followUp: JobID? = nil,
        _ ask: () async throws -> Simulation.Operation.Answer
    ) async -> Simulation.Operation.Answer? {
        var operation = asked
        operation.called = now
        do {
            operation.answer = try await ask()
            operation.returned = now
            if asked.action != .owner, asked.action != .show { meter.acknowledged() }
        } catch let error as JobboardError where error.outcome == .notApplied {
            operation.answer = .refused(code: error.code.rawValue, owner: error.owner)
            operation.returned = now
        } catch {
            // Nobody can tell, or nobody was there any more to be told.
        }
        add(operation, followUp)
        if case .refused = operation.answer { return nil }
        return operation.answer == .unknown ? nil : operation.answer
    }

    private func add(_ operation: Simulation.Operation, _ followUp: JobID?) {
        state.withLock { state in
            switch operation.answer {
            case .unknown: state.outcomes[operation.action, default: Outcomes()].unknown += 1
            case .refused: state.outcomes[operation.action, default: Outcomes()].refused += 1
            default: state.outcomes[operation.action, default: Outcomes()].ok += 1
            }
            HistoryText.append(operation, to: &state.writer)
            if let followUp {
                state.followUps.append(FollowUp(consumed: operation.jobs[0], posted: followUp))
                if let post = Self.post(of: followUp, with: operation) { HistoryText.append(post, to: &state.writer) }
            }
            if state.writer.bytes.count >= Self.pieceBytes { flush(&state) }
        }
    }

    /// The checker knows no follow-ups: one counts as a post of its own, made when the consume was.
    private static func post(of job: JobID, with consume: Simulation.Operation) -> Simulation.Operation? {
        if case .refused = consume.answer { return nil }
        var post = Simulation.Operation(client: consume.client, .post, jobs: [job], called: consume.called)
        post.board = consume.board
        post.who = consume.who
        post.returned = consume.returned
        post.answer = consume.answer == .unknown ? .unknown : .posted(duplicates: [false])
        return post
    }

    private func flush(_ state: inout State) {
        let code = Console.write(state.writer.bytes, to: file)
        if code != 0, state.failure == nil { state.failure = .failed("\(path): \(String(cString: strerror(code)))") }
        state.writer = JSONWriter()
    }

    /// Everything that was recorded is in the file.
    func finish() throws(CommandFailure) {
        let failure = state.withLock { state in
            flush(&state)
            return state.failure
        }
        if let failure { throw failure }
    }

    var outcomes: [(Simulation.Operation.Action, Outcomes)] {
        state.withLock { state in
            Simulation.Operation.Action.allCases.map { ($0, state.outcomes[$0] ?? Outcomes()) }
        }
    }

    var followUps: [FollowUp] { state.withLock { $0.followUps } }
}
