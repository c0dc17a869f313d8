import ArgumentParser
import Jobboard
import Testing

@testable import JobboardCLI

@Suite struct ExitStatusTests {
    @Test(
        arguments: [
            ("not_found", 3), ("compacted", 3), ("unclaimable", 4), ("duplicate", 4), ("not_owner", 4), ("not_claimed", 4),
            ("stale_fence", 4), ("invalid_argument", 2), ("too_large", 2), ("unavailable", 5), ("overloaded", 5),
            ("read_only", 5),
            ("session_expired", 5), ("closed", 5), ("unauthorized", 6), ("forbidden", 6), ("internal", 1), ("unsupported", 1),
            ("a_code_of_the_future", 1),
        ] as [(String, Int32)])
    func eachCodeHasItsExitStatus(code: String, status: Int32) {
        let error = JobboardError(.init(rawValue: code), "m")
        #expect(ExitStatus(error).rawValue == status)
        #expect(CommandFailure(error).line == "\(code): m")
    }

    @Test(arguments: ["unavailable", "closed", "session_expired"])
    func anUnknownOutcomeGoesBeforeItsReason(code: String) {
        #expect(ExitStatus(JobboardError(.init(rawValue: code), "m", outcome: .unknown)) == .outcomeUnknown)
    }

    @Test(arguments: [
        ["frob"], ["claim"], ["claim", "--who", "w"], ["claim", "--next", "--who", "w", "--count", "x"],
        ["claim", "00000000-0000-0000-0000-000000000001", "--next", "--who", "w"], ["post"], ["post", "n", "--from", "f"],
        ["post", "n", "--priority", "urgent"], ["post", "n", "--delay", "-1s"], ["work", "--who", "w"],
        ["work", "--who", "w", "--just-consume", "--", "true"], ["serve", "--node", "1"], ["show", "no-uuid"],
        ["count", "--nodes", "a:1", "--config", "f"], ["bench", "--concurrency", "1,0"], ["bench", "--nodes-own", "2"],
        ["demo", "--nodes", "2"],
        ["log", "dump", "d", "--all", "--through", "4"],
    ])
    func aWrongCommandLineIsUsageAndOneLine(arguments: [String]) throws {
        let error = try #require(throws: (any Error).self) { _ = try RootCommand.parseAsRoot(arguments) }
        let failure = CommandFailure(error)
        #expect(failure.status == .usage)
        #expect(failure.line.hasPrefix("usage: ") && !failure.line.contains("\n"))
        #expect(failure.line.contains("--help')"))
    }

    @Test func anErrorPointsToTheHelpOfItsCommand() throws {
        let error = try #require(throws: (any Error).self) { _ = try RootCommand.parseAsRoot(["log", "dump"]) }
        #expect(CommandFailure(error).line.contains("(see 'jobboard log dump --help')"))
    }

    @Test func helpAndVersionAreNoFailures() throws {
        for arguments in [["--help"], ["--version"], ["claim", "--help"], ["help", "post"]] {
            let error = try #require(throws: (any Error).self) {
                var command = try RootCommand.parseAsRoot(arguments)
                try command.run()
            }
            #expect(RootCommand.exitCode(for: error) == .success)
        }
    }

    @Test func anOwnerIsNamedOnce() {
        let named = JobboardError(.unclaimable, "held by w1 until noon", owner: "w1")
        #expect(CommandFailure(named).message == "held by w1 until noon")
        let unnamed = JobboardError(.unclaimable, "it is held", owner: "w1")
        #expect(CommandFailure(unnamed).message == "it is held (held by w1)")
    }

    @Test func aMessageOfSeveralLinesBecomesOne() {
        #expect(CommandFailure(JobboardError(.internal, "a\nb\r\nc")).line == "internal: a b c")
    }
}
