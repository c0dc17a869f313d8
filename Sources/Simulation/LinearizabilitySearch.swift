import Consensus

/// Looks for an order of one job's operations that explains every answer: Wing and Gong's search, with Lowe's memory
/// of what was tried ("Testing for linearizability", 2017), as Porcupine does it.
///
/// The memory is keyed by the job's possible states and a 128-bit sum over the operations that were put in order,
/// not by the set of them: two sets that met in one sum would hide a violation or invent one, at odds of 2^-100.
struct LinearizabilitySearch {
    enum Result: Equatable {
        case explained
        /// In the longest order found, this step's answer fits nothing that the job could then be.
        case stuck(step: Int, after: [ModelJob], ordered: Int)
        case tooHard
    }

    private struct Tried: Hashable {
        var first: UInt64
        var second: UInt64
        var jobs: [ModelJob]
    }

    private struct Choice {
        var entry: Int
        var jobs: [ModelJob]
    }

    private let model: JobModel
    private let steps: [ModelStep]
    /// Entry 2i is the call of step i, 2i + 1 its return; the list's head is the entry after all of them.
    private var next: [Int]
    private var previous: [Int]
    private let head: Int
    private var unexplained = 0
    private var jobs = [ModelJob()]
    private var sum: (UInt64, UInt64) = (0, 0)
    private var tried: Set<Tried> = []
    private var choices: [Choice] = []
    private var deepest = Result.stuck(step: 0, after: [], ordered: -1)

    init(_ steps: [ModelStep], _ model: JobModel) {
        self.steps = steps
        self.model = model
        head = 2 * steps.count
        next = Array(repeating: head, count: head + 1)
        previous = next
        var entries: [(time: UInt64, isReturn: Int, entry: Int)] = []
        for (place, step) in steps.enumerated() {
            entries.append((step.called, 0, 2 * place))
            if step.answer != .unknown {
                // Calls come before returns of the same moment: what touches may overlap.
                entries.append((step.returned, 1, 2 * place + 1))
                unexplained += 1
            }
        }
        entries.sort { ($0.time, $0.isReturn, $0.entry) < ($1.time, $1.isReturn, $1.entry) }
        var last = head
        for entry in entries {
            next[last] = entry.entry
            previous[entry.entry] = last
            last = entry.entry
        }
        next[last] = head
        previous[head] = last
    }

    /// - Parameter effort: how many states to look at before giving up.
    mutating func run(effort: Int) -> Result {
        var entry = next[head]
        while unexplained > 0 {
            let place = entry / 2
            if entry % 2 == 0, entry != head, take(place, entry) {
                guard tried.count < effort else { return .tooHard }
                entry = next[head]
            } else if entry % 2 == 0, entry != head {
                entry = next[entry]
            } else {
                // A return of what was not put in order yet: nothing that comes later can go before it.
                noteStuck(place)
                guard let choice = choices.popLast() else { return deepest }
                undo(choice)
                entry = next[choice.entry]
            }
        }
        return .explained
    }

    private mutating func take(_ place: Int, _ entry: Int) -> Bool {
        let after = model.after(jobs, steps[place])
        guard !after.isEmpty else { return false }
        let mark = Self.mark(place)
        let state = Tried(first: sum.0 &+ mark.0, second: sum.1 &+ mark.1, jobs: after)
        guard tried.insert(state).inserted else { return false }
        choices.append(Choice(entry: entry, jobs: jobs))
        jobs = after
        sum = (state.first, state.second)
        unlink(entry)
        if steps[place].answer != .unknown {
            unlink(entry + 1)
            unexplained -= 1
        }
        return true
    }

    private mutating func undo(_ choice: Choice) {
        let place = choice.entry / 2
        let mark = Self.mark(place)
        jobs = choice.jobs
        sum = (sum.0 &- mark.0, sum.1 &- mark.1)
        if steps[place].answer != .unknown {
            relink(choice.entry + 1)
            unexplained += 1
        }
        relink(choice.entry)
    }

    private mutating func noteStuck(_ place: Int) {
        if case .stuck(_, _, let ordered) = deepest, choices.count > ordered {
            deepest = .stuck(step: place, after: jobs, ordered: choices.count)
        }
    }

    private mutating func unlink(_ entry: Int) {
        next[previous[entry]] = next[entry]
        previous[next[entry]] = previous[entry]
    }

    /// Its own neighbours still say where it was.
    private mutating func relink(_ entry: Int) {
        next[previous[entry]] = entry
        previous[next[entry]] = entry
    }

    private static func mark(_ place: Int) -> (UInt64, UInt64) {
        var random = SplitMix64(seed: UInt64(place) &* 0x9e37_79b9_7f4a_7c15 ^ 0x5bd1_e995)
        return (random.next(), random.next())
    }
}
