import Glibc
import Simulation

/// Looks for something broken in the sources that it was built from, in one way:
///
///     MutantHunt simulator NODES SEEDS [FIRST]   whole clusters, seed after seed, from the first up to SEEDS
///     MutantHunt log SEEDS [FIRST]               one log on one disk, seed after seed
///     MutantHunt search NAME                     every world inside the bounds of that name
///
/// Prints where it is before each try, so that the last line tells when an invariant ends the process. Exit 0: nothing was
/// found. Exit 3: `found` and what was broken are the last lines. Any other: it broke by itself.
@main struct MutantHunt {
    /// As long as in the tests: many short runs meet more than few long ones.
    private static let milliseconds: UInt64 = 5000

    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        switch (words.first, words.count) {
        case ("simulator", 3...4):
            guard let nodes = Int(words[1]), (1...15).contains(nodes) else { usage() }
            sweep(words[2...]) { seed in
                var cluster = SimulatedCluster(seed: seed, nodes: nodes)
                _ = try cluster.run(milliseconds: milliseconds)
            }
        case ("log", 2...3):
            sweep(words[1...]) { try LogTrial.run(seed: $0) }
        case ("search", 2):
            guard let bounds = SearchBounds.named[words[1]] else { usage() }
            search(bounds)
        default: usage()
        }
    }

    /// `seeds`: the last seed, and perhaps the first.
    private static func sweep(_ seeds: ArraySlice<String>, _ run: (UInt64) throws -> Void) {
        guard let last = UInt64(seeds.first!), let first = UInt64(seeds.dropFirst().first ?? "1"), first <= last else { usage() }
        for seed in first...last {
            say("seed \(seed)")
            do { try run(seed) } catch { found("\(error)") }
        }
    }

    private static func search(_ bounds: SearchBounds) {
        var search = ExhaustiveSearch(bounds)
        do {
            let report = try search.run()
            say("states \(report.states)")
            guard report.isExhausted else {
                say("not every world was visited")
                exit(2)
            }
        } catch let failure as SearchFailure {
            for line in failure.path { say(line) }
            say("states \(failure.states)")
            found(failure.violation)
        } catch {
            found("\(error)")
        }
    }

    private static func found(_ violation: String) -> Never {
        say("found")
        say(violation)
        exit(3)
    }

    private static func usage() -> Never {
        say("usage: MutantHunt simulator NODES SEEDS [FIRST] | log SEEDS [FIRST] | search NAME")
        exit(64)
    }

    /// At once: what waits in a buffer is lost when an invariant ends the process.
    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}
