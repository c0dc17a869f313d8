import Synchronization

/// What a run tells while it goes on, what it counts, and what it finds wrong. Shared by everybody in it.
final class ChaosNotes: Sendable {
    private static let mostFindings = 100

    enum Count: String, CaseIterable, Sendable {
        case kills
        case stops
        case restarts
        case cuts
        case diskFull = "full disks"
        case leftBehind = "nodes left behind"
        case endedForDisk = "nodes ended by a full disk"
        case clientDeaths = "clients that died"
        case resumes = "watches resumed"
        case compacted = "watches told compacted"
        case watched = "events watched"
        case promptPosts = "posts in a long calm, all in time"
    }

    private struct State {
        var counts: [Count: Int] = [:]
        var cuts: [CutShape: Int] = [:]
        var findings: [String] = []
    }

    let start = ContinuousClock.now
    private let toErrors: Bool
    private let state = Mutex(State())

    /// - Parameter toErrors: tell on standard error, because standard output is for something else.
    init(toErrors: Bool) {
        self.toErrors = toErrors
    }

    func tell(_ text: String) {
        let time = Figures.fixed((ContinuousClock.now - start).inSeconds, 1)
        let line = String(repeating: " ", count: max(0, 6 - time.count)) + time + " s  " + text
        // Whoever no longer reads does not end the run: it has processes to clear away.
        _ = Console.write(Array((line + "\n").utf8), to: toErrors ? 2 : 1)
    }

    func count(_ what: Count, _ times: Int = 1) {
        state.withLock { $0.counts[what, default: 0] += times }
    }

    func count(_ shape: CutShape) {
        state.withLock { state in
            state.counts[.cuts, default: 0] += 1
            state.cuts[shape, default: 0] += 1
        }
    }

    /// Something that must not be.
    func find(_ text: String) {
        let isNew = state.withLock { state in
            guard state.findings.count < Self.mostFindings, !state.findings.contains(text) else { return false }
            state.findings.append(text)
            return true
        }
        if isNew { tell("VIOLATION: \(text)") }
    }

    var counts: [(Count, Int)] {
        state.withLock { state in Count.allCases.map { ($0, state.counts[$0] ?? 0) } }
    }

    var cuts: [(CutShape, Int)] {
        state.withLock { state in CutShape.allCases.map { ($0, state.cuts[$0] ?? 0) } }
    }

    var findings: [String] { state.withLock { $0.findings } }
}
