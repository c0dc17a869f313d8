import Foundation
import Testing

@testable import JobboardCLI

@Suite struct JobProcessTests {
    /// As the program does when it begins.
    init() {
        signal(SIGPIPE, SIG_IGN)
    }

    private static func run(_ script: String, input: String = "", _ environment: [String: String] = [:]) async throws
        -> JobProcess.Result
    {
        try await JobProcess(command: ["sh", "-c", script], environment: environment, input: Array(input.utf8)).run()
    }

    @Test(arguments: [
        ("exit 0", "exit 0"), ("exit 3", "exit 3"), ("kill -9 $$", "signal 9"), ("echo no >&2; exit 1", "exit 1: no"),
    ])
    func theEndOfACommandIsToldInAFewWords(script: String, failure: String) async throws {
        #expect(CommandHandler.failure(try await Self.run(script)) == failure)
    }

    @Test func theInputArrivesWholeAlsoWhenItIsLargerThanAPipe() async throws {
        let input = String(repeating: "0123456789", count: 30_000)
        #expect(try await Self.run("test $(wc -c) -eq 300000", input: input).end == .exited(0))
    }

    @Test func aCommandNeedNotReadItsInput() async throws {
        let input = String(repeating: "0123456789", count: 30_000)
        #expect(try await Self.run("exec 0<&-; exit 4", input: input).end == .exited(4))
    }

    @Test func theEnvironmentHasWhatWasGiven() async throws {
        #expect(try await Self.run("test \"$JOBBOARD_JOB\" = abc", ["JOBBOARD_JOB": "abc"]).end == .exited(0))
    }

    @Test func brokenPipesKillACommandAsUsual() async throws {
        #expect(try await Self.run("kill -PIPE $$; exit 5").end == .signalled(SIGPIPE))
    }

    @Test func whatACommandLeavesBehindHoldsNobodyUp() async throws {
        let result = try await Self.run("sleep 3000 & echo $! >&2; exit 0")
        #expect(result.end == .exited(0))
        // The one left behind was not waited for: it is still there to be ended.
        let left = try #require(pid_t(result.lastErrorLine))
        #expect(kill(left, SIGKILL) == 0)
    }

    @Test func aCancelledTaskEndsItsCommand() async throws {
        let task = Task { try await Self.run("exec sleep 60") }
        task.cancel()
        #expect(try await task.value.end == .signalled(SIGTERM))
    }

    @Test func aProgramThatIsNotThereIsAnError() async {
        await #expect(throws: CommandFailure.self) {
            try await JobProcess(command: ["/no/such/program"], environment: [:], input: []).run()
        }
        #expect(Spawn.find("no-such-program-at-all") == nil)
        #expect(Spawn.find("sh") != nil)
    }

    @Test func manyShortCommandsLeaveNoDescriptorsBehind() async throws {
        let folder = "/proc/self/fd"
        _ = try await Self.run("exit 0")
        let before = try FileManager.default.contentsOfDirectory(atPath: folder).count
        try await withThrowingTaskGroup(of: RunningProcess.End.self) { group in
            for _ in 0..<128 { group.addTask { try await Self.run("exit 0").end } }
            for try await end in group { #expect(end == .exited(0)) }
        }
        // Other tests run beside this one and have some open; 128 commands would have left 256.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count < before + 128)
    }
}

@Suite struct LineTailTests {
    @Test(
        arguments: [
            ([""], ""), (["one"], "one"), (["one\n"], "one"), (["one\ntw", "o\n\n  \n"], "two"), (["one\n", "tw", "o"], "two"),
            (["a\tb\u{1B}[1m\n"], "a b [1m"),
        ] as [([String], String)])
    func theLastLineWithSomethingInItIsKept(pieces: [String], line: String) {
        var tail = LineTail()
        for piece in pieces { tail.add(Array(piece.utf8)) }
        #expect(tail.line == line)
    }

    @Test func aLongLineIsNotKept() {
        var tail = LineTail()
        tail.add(Array(("short\n" + String(repeating: "x", count: 201) + "\n").utf8))
        #expect(tail.line == "")
    }
}

@Suite struct LineFileTests {
    private static func lines(of text: String) async throws -> [String] {
        let path = FileManager.default.temporaryDirectory.appending(path: "jobboard-lines-\(UUID())").path
        try Data(text.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        var file = try LineFile(path)
        var lines: [String] = []
        while let line = try await file.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        #expect(file.consumed == UInt64(text.utf8.count) && file.size == file.consumed)
        return lines
    }

    @Test func linesComeWholeWithAndWithoutALastEnd() async throws {
        #expect(try await Self.lines(of: "") == [])
        #expect(try await Self.lines(of: "a\n\nb") == ["a", "", "b"])
        #expect(try await Self.lines(of: "a\nb\n") == ["a", "b"])
    }

    @Test func aLineMayBeLongerThanWhatIsReadAtOnce() async throws {
        let long = String(repeating: "x", count: 600_000)
        #expect(try await Self.lines(of: "a\n\(long)\nb\n") == ["a", long, "b"])
    }

    @Test func aLineWithoutEndIsRefused() async {
        let endless = String(repeating: "x", count: LineFile.longestLine + 300_000)
        await #expect(throws: CommandFailure.self) { try await Self.lines(of: endless) }
    }
}
