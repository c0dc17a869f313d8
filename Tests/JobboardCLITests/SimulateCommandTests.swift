import ArgumentParser
import Foundation
import Testing

@testable import JobboardCLI

@Suite struct SimulateCommandTests {
    @Test func sizesAreAListOfSmallNumbers() {
        #expect(ClusterSizes(argument: "1,3,5")?.sizes == [1, 3, 5])
        #expect(ClusterSizes(argument: "5")?.sizes == [5])
        for text in ["", "0", "16", "3,", "1;3", "x"] { #expect(ClusterSizes(argument: text) == nil, "\(text)") }
        #expect(ClusterSizes([1, 3, 5]).description == "1,3,5")
    }

    /// Dictionaries and sets have another order in each process; none of that may reach a run.
    @Test func theSameSeedsGiveTheSameRunsInTwoProcesses() throws {
        let hashes = try (0..<2).map { _ in try Self.hashes(["--seed", "7", "--seeds", "3", "--milliseconds", "3000"]) }
        #expect(hashes[0].count == 3 && Set(hashes[0]).count == 3)
        #expect(hashes[0] == hashes[1])
    }

    /// Of each size of cluster, from the executable that was built along with the tests.
    private static func hashes(_ arguments: [String]) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("jobboard")
        process.arguments = ["simulate", "--json"] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return lines.compactMap { line in
            line.range(of: #""hash":""#).map { String(line[$0.upperBound...].prefix(16)) }
        }
    }
}
