import Foundation
import Testing

/// The measurement of fail-over, with nodes of its own.
@Suite(.serialized) struct FailoverTests {
    @Test(.timeLimit(.minutes(3))) func theLeaderIsKilledAsOftenAsWanted() throws {
        let result = try TestCluster.run(["bench", "--nodes-own", "3", "--failover", "2", "--concurrency", "4", "--json"])
        #expect(result.status == 0, "\(result.errors)")
        struct Report: Decodable {
            struct Result: Decodable {
                let gap_ms: [Double]
                let back_ms: [Double]
            }
            let results: [Result]
        }
        let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
        let one = try #require(report.results.first)
        for times in [one.gap_ms, one.back_ms] {
            #expect(times.count == 2 && times.allSatisfy { $0 > 0 && $0 < 60_000 }, "\(times)")
        }
    }
}
