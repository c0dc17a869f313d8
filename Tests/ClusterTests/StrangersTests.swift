import Foundation
import Testing

/// Real processes that are attacked as strangers on the network might, beside a well-behaved client.
@Suite(.serialized) struct StrangersTests {
    /// STRANGERS_SECONDS makes it longer, STRANGERS_SEED another one.
    private static let environment = ProcessInfo.processInfo.environment

    /// Times mean nothing in a debug build on a machine that runs other tests meanwhile, so the strangers are slow and the
    /// honest client has a minute for each call, elections included: what counts is survival.
    @Test(.timeLimit(.minutes(10))) func `strangers end no node and fail no call of an honest client`() throws {
        let seconds = Self.environment["STRANGERS_SECONDS"] ?? "25"
        let seed = Self.environment["STRANGERS_SEED"] ?? "15"
        let result = try TestCluster.run([
            "strangers", "--duration", "\(seconds)s", "--quiet", "3s", "--seed", seed, "--rate", "20", "--timeout", "60s",
        ])
        #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        #expect(result.output.contains("verdict   GOOD"))
    }

    /// The proof has to bite: no node can do with 16 MiB.
    @Test(.timeLimit(.minutes(5))) func `a node that takes more memory than it may is found`() throws {
        let result = try TestCluster.run([
            "strangers", "--only", "datagrams", "--memory", "16", "--duration", "5s", "--quiet", "1s", "--seed", "1",
        ])
        #expect(result.status == 1, "\(result.output)\n\(result.errors)")
        #expect(result.output.contains("of memory, more than 16.0 MiB; killed"), "\(result.output)")
    }
}
