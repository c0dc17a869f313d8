import Glibc
import Simulation

/// Looks for something broken in the sources that it was built from, in one way:
///
///     MutantHunt simulator NODES SEEDS     whole clusters, seed after seed
///     MutantHunt log SEEDS                 one log on one disk, seed after seed
///     MutantHunt search NAME               every world inside the bounds of that name
///
/// Prints where it is before each try, so that the last line tells when an invariant ends the process. Exit 0: nothing was
/// found. Exit 3: `found` and what was broken are the last lines. Any other: it broke by itself.
@main struct MutantHunt {
    /// As long as in the tests: many short runs meet more than few long ones.
    private static let milliseconds: UInt64 = 5000

    static func main() {
        let words = CommandLine.arguments.dropFirst()
        switch (words.first, words.dropFirst().first, words.dropFirst(2).first) {
        case ("simulator", let nodes?, let seeds?):
            guard let nodes = Int(nodes), let seeds = UInt64(seeds), (1...15).contains(nodes) else { usage() }
            sweep(seeds) { seed in
                var cluster = SimulatedCluster(seed: seed, nodes: nodes)
                _ = try cluster.run(milliseconds: milliseconds)
            }
        case ("log", let seeds?, nil):
            guard let seeds = UInt64(seeds) else { usage() }
            sweep(seeds) { try LogTrial.run(seed: $0) }
        case ("search", let name?, nil):
            guard let bounds = SearchBounds.named[name] else { usage() }
            search(bounds)
        default: usage()
        }
    }

    private static func sweep(_ seeds: UInt64, _ run: (UInt64) throws -> Void) {
        guard seeds > 0 else { usage() }
        for seed in 1...seeds {
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
        say("usage: MutantHunt simulator NODES SEEDS | log SEEDS | search NAME")
        exit(64)
    }

    /// At once: what waits in a buffer is lost when an invariant ends the process.
    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}
