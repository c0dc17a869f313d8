import Foundation
import Testing

/// Real processes in a real network that is broken again and again.
@Suite(.serialized) struct ChaosTests {
    /// CHAOS_SECONDS makes it longer, CHAOS_SEED another one.
    private static let environment = ProcessInfo.processInfo.environment

    @Test(.timeLimit(.minutes(130))) func clientsSeeOneBoardWhateverBreaks() throws {
        let seconds = Self.environment["CHAOS_SECONDS"] ?? "75"
        let seed = Self.environment["CHAOS_SEED"] ?? "20"
        let result = try TestCluster.run(["chaos", "--seconds", seconds, "--seed", seed])
        #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        #expect(result.output.contains("verdict   GOOD"))
        // Where namespaces are not permitted only signals were sent: that is said, and is no failure of the nodes.
        if let limits = result.output.split(separator: "\n").first(where: { $0.hasPrefix("limits") }) {
            print("chaos: \(limits)")
        }
    }

    @Test(.timeLimit(.minutes(5))) func signalsAloneNeedNoNamespaces() throws {
        let result = try TestCluster.run(["chaos", "--loopback", "--seconds", "30", "--nodes", "3", "--seed", "1"])
        #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        #expect(result.output.contains("limits    signals alone"))
        #expect(result.output.contains("SIG"), "something was broken: \(result.output)")
    }

    @Test(.timeLimit(.minutes(5))) func nothingIsLeftOfARunThatIsInterrupted() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobboard-chaos-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Interrupted once a node was killed.
        let line = """
            export TMPDIR="$1"
            "$0" chaos --seconds 60 --seed 1 >"$1/output" 2>&1 &
            run=$!
            for i in $(seq 600); do grep -q SIG "$1/output" && break; sleep 0.1; done
            kill -INT $run
            wait $run
            echo "status $?"
            cat "$1/output" >&2
            rm "$1/output"
            ls -A "$1"
            for process in /proc/[0-9]*; do
                if tr '\\0' ' ' <$process/cmdline 2>/dev/null | grep -q "serve --config $1"; then echo "left: $process"; fi
            done
            """
        let result = try TestCluster.run(shell: line, [TestCluster.command.path, folder.path])
        #expect(result.output == "status 1\n", "\(result.output)\n\(result.errors)")
        #expect(result.errors.contains("SIG") && result.errors.contains("interrupted"), "\(result.errors)")
    }
}
