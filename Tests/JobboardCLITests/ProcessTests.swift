import ArgumentParser
import Foundation
import JobboardClient
import Testing

@testable import JobboardCLI

@Suite(.timeLimit(.minutes(2))) struct JobProcessTests {
    private static let thread = try? CommandThread()

    /// As the program does when it begins.
    init() {
        signal(SIGPIPE, SIG_IGN)
    }

    private static func run(
        _ script: String, input: String = "", _ environment: [String: String] = [:], limit: Duration? = nil
    ) async throws -> JobProcess.Result {
        try await run(command(["sh", "-c", script], environment), input: input, limit: limit)
    }

    private static func run(
        _ command: Spawn.Command, input: String = "", limit: Duration? = nil
    ) async throws -> JobProcess.Result {
        let thread = try #require(thread)
        return try await JobProcess(command: command, input: Array(input.utf8), limit: limit, thread: thread).run()
    }

    private static func command(_ words: [String], _ environment: [String: String] = [:]) -> Spawn.Command {
        Spawn.Command(
            words: words.map { Array($0.utf8) }, environment: SystemText.environment(with: environment), diesWithThread: true)
    }

    private static func handler(limit: Duration? = nil) throws -> CommandHandler {
        CommandHandler(command: command(["true"]), limit: limit, thread: try #require(thread))
    }

    private static func failure(_ result: JobProcess.Result, limit: Duration? = nil) throws -> String {
        try handler(limit: limit).failure(result)
    }

    /// The failure that a verdict counts; nil when it consumes the job.
    private static func countedFailure(_ verdict: Worker.Verdict) -> String? {
        guard case .abandon(_, let failure) = verdict else { return nil }
        return failure
    }

    /// Waits until a process is gone.
    private static func untilGone(_ pid: pid_t, within limit: Duration = .seconds(20)) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if kill(pid, 0) != 0 || state(of: pid) == "Z" { return true }
            await Task.yield()
        }
        return false
    }

    private static func state(of pid: pid_t) -> Character? {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        return text.split(separator: ")").last?.first { $0 != " " }
    }

    @Test(arguments: [
        ("exit 0", "exit 0"), ("exit 3", "exit 3"), ("kill -9 $$", "signal 9"), ("echo no >&2; exit 1", "exit 1: no"),
        ("exit 127", "exit 127"), ("exit 126", "exit 126"),
    ])
    func `the end of a command is told in a few words`(script: String, failure: String) async throws {
        #expect(try Self.failure(try await Self.run(script)) == failure)
    }

    @Test func `the input arrives whole also when it is larger than a pipe`() async throws {
        let input = String(repeating: "0123456789", count: 30_000)
        #expect(try await Self.run("test $(wc -c) -eq 300000", input: input).end == .exited(0))
    }

    @Test func `a command need not read its input`() async throws {
        let input = String(repeating: "0123456789", count: 30_000)
        #expect(try await Self.run("exec 0<&-; exit 4", input: input).end == .exited(4))
    }

    @Test func `the environment has what was given`() async throws {
        #expect(try await Self.run("test \"$JOBBOARD_JOB\" = abc", ["JOBBOARD_JOB": "abc"]).end == .exited(0))
    }

    @Test func `arguments and environment keep bytes that are not UTF-8`() async throws {
        var command = Self.command(["sh", "-c", "printf '%s' \"$X$1\" | od -An -tx1 >&2", "x"])
        command.words.append([0xE9])
        command.environment.append(Array("X=".utf8) + [0xFF, 0xFE])
        #expect(try await Self.run(command).lastErrorLine == " ff fe e9")
    }

    @Test func `broken pipes kill a command as usual`() async throws {
        #expect(try await Self.run("kill -PIPE $$; exit 5").end == .signalled(SIGPIPE))
    }

    @Test func `a command has no descriptors but its three streams`() async throws {
        // One of ours that isn't closed by exec.
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        let result = try await Self.run("ls /proc/self/fd | tr '\\n' ' ' >&2")
        // The fourth is the folder that ls reads.
        #expect(result.lastErrorLine == "0 1 2 3 ")
    }

    @Test func `a command that ended has ended, whatever it left behind`() async throws {
        // Left behind: one that holds the output open and says something all the time, in a session of its own.
        let result = try await Self.run(
            "setsid sh -c 'trap \"\" TERM; for i in $(seq 600); do echo tick >&2; sleep 0.1; done' & sleep 0.2; exit 3")
        #expect(result.end == .exited(3))
    }

    @Test func `what a command leaves behind in its group is ended`() async throws {
        let result = try await Self.run("sleep 3000 & echo $! >&2; exit 0")
        #expect(result.end == .exited(0))
        let left = try #require(pid_t(result.lastErrorLine))
        #expect(await Self.untilGone(left))
    }

    @Test func `what a command leaves behind and does not heed SIGTERM is killed`() async throws {
        let result = try await Self.run("(trap '' TERM; exec >&- 2>&-; while :; do sleep 1; done) & echo $! >&2; exit 0")
        let left = try #require(pid_t(result.lastErrorLine))
        #expect(await Self.untilGone(left))
    }

    @Test func `a cancelled task ends its command`() async throws {
        let task = Task { try await Self.run("exec sleep 60") }
        task.cancel()
        #expect(try await task.value.end == .signalled(SIGTERM))
    }

    @Test func `a command that runs longer than it may is stopped, with all that it started`() async throws {
        let limit = Duration.milliseconds(500)
        let result = try await Self.run("sleep 3000 & echo $! >&2; wait", limit: limit)
        #expect(result.ranTooLong)
        let left = try #require(pid_t(result.lastErrorLine))
        #expect(try Self.failure(result, limit: limit) == "ran longer than 500ms: \(left)")
        #expect(await Self.untilGone(left))
        #expect(try await Self.run("exit 0", limit: .seconds(3600)) == .init(end: .exited(0), lastErrorLine: ""))
    }

    @Test func `a limit is named as it would be typed`() throws {
        let result = JobProcess.Result(end: .exited(0), lastErrorLine: "", ranTooLong: true)
        #expect(Self.countedFailure(try Self.handler(limit: .seconds(3600)).verdict(result)) == "ran longer than 1h")
    }

    @Test(arguments: [("/no/such/program", ENOENT), ("no-such-program-at-all", ENOENT), ("/dev/null", EACCES)])
    func `what can't be started is told from a command that fails`(program: String, code: Int32) async {
        let failure = StartFailure(Array(program.utf8), code)
        #expect(!failure.isPassing)
        await #expect(throws: failure) { try await Self.run(Self.command([program])) }
    }

    @Test func `a lack of processes, descriptors or memory passes`() {
        for code in [EAGAIN, EMFILE, ENFILE, ENOMEM] { #expect(StartFailure([], code).isPassing) }
    }

    @Test func `programs are found as the shell finds them`() {
        #expect(Spawn.find(Array("no-such-program-at-all".utf8)) == nil)
        #expect(Spawn.find(Array("sh".utf8)) != nil)
        #expect(Spawn.find(Array("/tmp".utf8)) == nil)
    }

    @Test func `many short commands leave no descriptors behind`() async throws {
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

    @Test func `an end that the system does not tell is no success`() throws {
        // A process that is not ours: nothing can be known of it.
        #expect(RunningProcess.End.reaping(1) == .unknown)
        let result = JobProcess.Result(end: .unknown, lastErrorLine: "")
        #expect(Self.countedFailure(try Self.handler().verdict(result)) == "nobody knows how it ended")
    }
}

@Suite struct SystemTextTests {
    @Test func `arguments that are not UTF-8 are refused, but for those of the command that is run`() throws {
        func words(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }
        try SystemText.check(words(["post", "é"]))
        #expect(throws: CommandFailure.usage("argument 2 is not UTF-8: a\u{FFFD}")) {
            try SystemText.check(words(["post"]) + [[0x61, 0xFF]])
        }
        try SystemText.check(words(["work", "--who", "w", "--", "x"]) + [[0xFF]])
        #expect(throws: CommandFailure.self) { try SystemText.check(words(["work", "--who"]) + [[0xFF]] + words(["--", "x"])) }
        #expect(throws: CommandFailure.self) { try SystemText.check(words(["post", "--"]) + [[0xFF]]) }
    }

    @Test(
        arguments: [
            (["post", "x", "--delay", "-5s"], ["post", "x", "--delay=-5s"]), (["claim", "--", "-5"], ["claim", "--", "-5"]),
            (["post", "--delay=3s", "-5"], ["post", "--delay=3s", "-5"]), (["work", "-n", "3"], ["work", "-n", "3"]),
        ] as [([String], [String])])
    func `a negative value belongs to the option before it`(arguments: [String], tied: [String]) {
        #expect(NegativeValues.tied(arguments) == tied)
    }

    @Test func `a negative duration is told to be one`() throws {
        let error = try #require(throws: (any Error).self) {
            _ = try RootCommand.parseAsRoot(NegativeValues.tied(["post", "x", "--delay", "-5s"]))
        }
        #expect(CommandFailure(error).line.contains("'-5s' is invalid"))
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

    @Test func `a long line is cut, not dropped`() {
        var tail = LineTail()
        tail.add(Array(("short\n" + String(repeating: "x", count: 201) + "\n").utf8))
        #expect(tail.line == String(repeating: "x", count: 200) + "…")
    }

    @Test func `a line of just the length stays whole, and no character is cut in two`() {
        var tail = LineTail()
        tail.add(Array(String(repeating: "x", count: 200).utf8))
        #expect(tail.line == String(repeating: "x", count: 200))
        tail = LineTail()
        tail.add(Array((String(repeating: "x", count: 198) + "€€").utf8))
        #expect(tail.line == String(repeating: "x", count: 198) + "…")
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

    @Test func `a byte order mark is no part of the first line`() async throws {
        #expect(try await Self.lines(of: "\u{FEFF}a\nb") == ["a", "b"])
        #expect(try await Self.lines(of: "\u{FEFF}") == [])
        #expect(try await Self.lines(of: "a\n\u{FEFF}b") == ["a", "\u{FEFF}b"])
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
