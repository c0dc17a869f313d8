import Foundation
import JobboardClient
import Testing

/// `jobboard work` as a process among others, at a real node. Lines of shell get the command as `$0` and the node as `$1`.
@Suite(.serialized, .timeLimit(.minutes(3))) struct WorkTests {
    private let cluster: TestCluster
    private let client: JobboardClient

    init() async throws {
        cluster = try await TestCluster(nodes: 1)
        client = try JobboardClient(nodes: cluster.addresses)
    }

    /// On a thread of its own: other tests need those that tasks run on.
    private func run(_ line: String, _ more: String...) async throws -> (status: Int32, output: String, errors: String) {
        let arguments = [TestCluster.command.path, cluster.addresses[0]] + more
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try TestCluster.run(shell: line, arguments) })
            }
        }
    }

    private func post(maxFailures: UInt32? = 1) async throws -> JobID {
        var job = NewJob(name: "n")
        job.maxFailures = maxFailures
        return try await client.post(job, timeout: .seconds(30)).job.id
    }

    private func isClaimed(_ id: JobID) async throws -> Bool {
        try await client.job(id).state == .claimed
    }

    private static func pid(in file: URL) -> pid_t? {
        (try? String(contentsOf: file, encoding: .utf8)).flatMap { pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    private static func isGone(_ pid: pid_t) -> Bool {
        guard kill(pid, 0) == 0, let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
        return text.split(separator: ")").last?.hasPrefix(" Z") ?? true
    }

    @Test func `a command that fails has failed, also where SIGCHLD is ignored`() async throws {
        let id = try await post()
        let result = try await run("timeout 60 env --ignore-signal=CHLD \"$0\" work --nodes $1 --who w --until-idle 1s -- false")
        #expect(result.status == 0, "\(result.errors)")
        let job = try await client.job(id)
        #expect(job.state == .trashed && job.lastFailure == "exit 1")
    }

    @Test func `a killed worker's claim takes no more job, and its command is killed`() async throws {
        let id = try await post(maxFailures: nil)
        let file = cluster.folder.appending(path: "pid")
        // Two at a time: one runs, and a claim waits for the next.
        let result = try await run(
            """
            "$0" work --nodes $1 --who killed -n 2 --lease 60s -- sh -c 'echo $$ > "$1.new"; mv "$1.new" "$1"; exec sleep 300' x "$2" &
            for i in $(seq 600); do [ -s "$2" ] && break; sleep 0.1; done
            sleep 1; kill -KILL $!; wait $!; exit 0
            """, file.path)
        #expect(result.status == 0)
        let pid = try #require(Self.pid(in: file))
        try await eventually("the command is gone") { Self.isGone(pid) }
        #expect(try await isClaimed(id))
        // A claim that still waited for the dead would get it.
        let next = try await post()
        let claimed = try await client.claimNext(who: "other", wait: .seconds(10))
        #expect(claimed.map(\.id) == [next])
    }

    @Test func `a command that can't be started any more ends the worker and harms no job`() async throws {
        let script = cluster.folder.appending(path: "once.sh")
        try "#!/bin/sh\nrm \"$0\"\n".write(to: script, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.path)
        for _ in 0..<3 { _ = try await post() }
        let result = try await run("timeout 60 \"$0\" work --nodes $1 --who w --until-idle 1s -- \"$2\"", script.path)
        #expect(result.status == 1)
        let line = "jobboard: failed: can't start \(script.path): No such file or directory; the job was given back\n"
        #expect(result.errors == line)
        #expect(try await client.count(state: .trashed) == 0)
        #expect(try await client.count(state: .unclaimed) == 2)
        let again = try await run("timeout 60 \"$0\" work --nodes $1 --who w --until-idle 1s -- \"$2\"", script.path)
        #expect(again.status == 2 && again.errors == "jobboard: usage: can't run \(script.path)\n")
    }

    @Test func `a lack of descriptors makes the worker pause, and harms no job`() async throws {
        for _ in 0..<12 { _ = try await post() }
        // Enough to begin, and too few for ten commands at a time.
        let result = try await run(
            """
            ulimit -n $((3 * $(getconf _NPROCESSORS_ONLN) + 24))
            timeout 120 "$0" work --nodes $1 --who w -n 10 --until-idle 500ms -- sleep 0.3
            """)
        #expect(result.status == 0)
        #expect(result.errors.contains("can't start sleep: Too many open files"), "\(result.errors)")
        #expect(try await client.count(state: .complete) == 12)
    }

    @Test(arguments: ["HUP", "TERM", "INT"])
    func `a signal ends the worker, and its job is given back`(signal: String) async throws {
        let id = try await post()
        let file = cluster.folder.appending(path: "pid")
        let result = try await run(
            """
            "$0" work --nodes $1 --who w -- sh -c 'echo $$ > "$1.new"; mv "$1.new" "$1"; exec sleep 300' x "$2" &
            for i in $(seq 600); do [ -s "$2" ] && break; sleep 0.1; done
            kill -$3 $!; wait $!
            """, file.path, signal)
        #expect(result.status == 0, "\(result.errors)")
        #expect(Self.isGone(try #require(Self.pid(in: file))))
        let job = try await client.job(id)
        #expect(job.state == .unclaimed && job.failures == 0)
    }

    @Test func `a hangup that is ignored does not end the worker`() async throws {
        let id = try await post()
        let result = try await run(
            "nohup \"$0\" work --nodes $1 --who w --until-idle 1s -- sh -c 'kill -HUP $PPID; kill -HUP $$; sleep 1' > /dev/null 2>&1"
        )
        #expect(result.status == 0)
        #expect(try await client.job(id).state == .complete)
    }

    @Test func `finished work is told of when the cluster comes back, for as long as the claim stands`() async throws {
        let id = try await post()
        let result = try await run(
            """
            "$0" work --nodes $1 --who w --lease 60s --timeout 1s --until-idle 1s -- sleep 2 &
            for i in $(seq 300); do "$0" list --nodes $1 --state CLAIMED -o id | grep -q . && break; sleep 0.1; done
            kill -STOP $2; sleep 8; kill -CONT $2; wait $!
            """, "\(try #require(cluster.process(of: 1)))")
        #expect(result.status == 0 && result.errors.contains("verdict not carried out yet, trying again"), "\(result.errors)")
        let job = try await client.job(id, timeout: .seconds(30))
        #expect(job.state == .complete && job.claims == 1)
    }

    @Test func `without a node to answer, idle is not said to be done`() async throws {
        let result = try await run("\"$0\" work --nodes 127.0.0.1:9 --timeout 1s --who w --until-idle 100ms -- true")
        #expect(result.status == 5)
        #expect(result.errors.contains("jobboard: unavailable: no answer in time; 127.0.0.1:9: connection refused\n"))
    }

    @Test func `details from a standard input that can't be read are refused`() async throws {
        #expect(
            try await run("\"$0\" post --nodes $1 n --details - <&-").errors
                == "jobboard: usage: --details: can't read standard input: Bad file descriptor\n")
        #expect(
            try await run("\"$0\" post --nodes $1 n --details - < /").errors
                == "jobboard: usage: --details: can't read standard input: Is a directory\n")
    }

    @Test func `a file is posted in its order, up to the line that is refused`() async throws {
        let file = cluster.folder.appending(path: "jobs")
        let lines = (1...9).map { $0 == 4 ? #"{"name":""}"# : #"{"name":"j\#($0)"}"# }
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        let result = try await run("\"$0\" post --nodes $1 --batch 2 --from \"$2\"", file.path)
        #expect(result.status == 2)
        #expect(result.errors.contains("all lines before line 3 are posted; go on from line 3: tail -n +3 \(file.path) | "))
        #expect(try await run("\"$0\" list --nodes $1 -o jsonl | jq -r .name 2>/dev/null || true").output == "j1\nj2\n")
        // Gone on from there, with refused lines put aside.
        let rest = try await run("tail -n +3 \"$2\" | \"$0\" post --nodes $1 --batch 4 --from - --skip-bad \"$2.bad\"", file.path)
        #expect(rest.status == 4 && rest.errors.contains("1 lines were refused; they are in \(file.path).bad"), "\(rest.errors)")
        #expect(try String(contentsOfFile: file.path + ".bad", encoding: .utf8) == "{\"name\":\"\"}\n")
        #expect(try await client.count(state: .unclaimed) == 8)
    }

    @Test func `what list prints can be posted`() async throws {
        _ = try await post()
        let other = try await TestCluster(nodes: 1)
        let result = try await run("\"$0\" list --nodes $1 -o jsonl | \"$0\" post --nodes $2 --from -", other.addresses[0])
        #expect(result.status == 0, "\(result.errors)")
        let there = try JobboardClient(nodes: other.addresses)
        #expect(try await there.count(state: .unclaimed) == 1)
        await there.shutdown()
    }
}
