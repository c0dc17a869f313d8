import Consensus

/// Visits every world that three of the shipped replicas can come to inside some bounds, the nearest first, and checks each.
///
/// Worlds are told apart by a 128-bit hash of what their future depends on (see `SearchWorld.fingerprint`). Of a visited
/// world the search keeps that hash and the move that led to it: the world itself is made again by going its path, most of
/// which it shares with the one before.
package struct ExhaustiveSearch {
    private struct Step {
        var parent: UInt32
        var move: SearchMove
    }

    private let bounds: SearchBounds
    private var steps: [Step] = []
    private var visited: Set<CanonicalHash> = []
    /// The path to the world that was looked at last, from the beginning.
    private var path: [(step: Int, world: SearchWorld)] = []
    private var report = SearchReport()

    package init(_ bounds: SearchBounds) {
        self.bounds = bounds
    }

    /// Throws `SearchFailure` at the first world in which something that must never be is.
    package mutating func run() throws -> SearchReport {
        let start = try SearchWorld.start(bounds)
        steps = [Step(parent: 0, move: .timeOut(0))]
        path = [(0, start)]
        visited = [start.fingerprint()]
        note(start)
        var level = 0..<1
        while !level.isEmpty {
            guard report.depth < bounds.depth else { return report }
            for step in level {
                guard steps.count < bounds.states else { return report }
                try expand(step, depth: report.depth)
            }
            level = level.upperBound..<steps.count
            if !level.isEmpty { report.depth += 1 }
        }
        report.isExhausted = true
        return report
    }

    private mutating func expand(_ step: Int, depth: Int) throws {
        let world = world(of: step, depth: depth)
        for move in world.moves() {
            var next = world
            do throws(Violation) {
                try next.take(move)
                report.transitions += 1
                guard next.replicas.allSatisfy({ $0.term <= bounds.terms }) else {
                    report.cutOff += 1
                    continue
                }
                guard visited.insert(next.fingerprint()).inserted else { continue }
                try next.check()
            } catch {
                throw failure(error, after: move)
            }
            steps.append(Step(parent: UInt32(step), move: move))
            note(next)
        }
    }

    /// Goes from the last common world of the two paths.
    private mutating func world(of step: Int, depth: Int) -> SearchWorld {
        var missing: [Int] = []
        var at = step
        var height = depth
        while height >= path.count || path[height].step != at {
            missing.append(at)
            at = Int(steps[at].parent)
            height -= 1
        }
        path.removeSubrange((height + 1)...)
        for step in missing.reversed() {
            var world = path[path.count - 1].world
            world.sights = SearchWorld.Sights()
            do throws(Violation) {
                try world.take(steps[step].move)
            } catch {
                preconditionFailure("the same move from the same world was good before: \(error)")
            }
            path.append((step, world))
        }
        return path[path.count - 1].world
    }

    private func failure(_ violation: Violation, after move: SearchMove) -> SearchFailure {
        var lines: [String] = []
        for place in path.indices.dropFirst() {
            lines.append(path[place - 1].world.describe(steps[path[place].step].move))
        }
        lines.append(path[path.count - 1].world.describe(move))
        return SearchFailure(violation: violation.description, path: lines, states: steps.count)
    }

    private mutating func note(_ world: SearchWorld) {
        report.states = steps.count
        let leaders = world.replicas.count(where: \.isLeader)
        if leaders > 0 { report.led += 1 }
        if leaders > 1 { report.twiceLed += 1 }
        report.longestCommitted = max(report.longestCommitted, world.record.committed.count)
        if world.client.isRefused { report.refused += 1 }
        report.truncations += world.sights.truncations
        report.confirmedReads += world.sights.confirmedReads
        report.lossyCrashes += world.sights.lossyCrashes
        report.returns += world.sights.returns
    }
}
