import ArgumentParser
import Foundation

/// `jobboard strangers`.
struct StrangersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "strangers",
        abstract:
            "Run a real cluster on this machine beside hostile clients, and check that an honest one notices nothing but time.",
        discussion: """
            Three nodes, each with 1,024 descriptors and 1 GB of memory, are attacked from other addresses of loopback in \
            every way that needs no secret, while a well-behaved client posts, claims, extends and consumes jobs of its own. \
            Afterwards each node is killed and started again.

            The exit code is 0 when no node ended or took more memory than it may, every call of the honest client \
            succeeded, each of its jobs was consumed exactly once, and the cluster was whole again afterwards.

            Attacks, for --only: \
            \(AttackKind.allCases.map { "\($0.rawValue) (\($0.what))" }.joined(separator: ", ")).

            Examples:
              jobboard strangers
              jobboard strangers --duration 30m --rate 10
              jobboard strangers --only lists,retained --duration 20s
              jobboard strangers --workers 5000
              jobboard strangers --workers 100 --waits 90000
            """)

    @Option(help: ArgumentHelp("How long to attack.", valueName: "duration"))
    var duration: Duration = .seconds(120)

    @Option(help: ArgumentHelp("How long the honest client is alone before that.", valueName: "duration"))
    var quiet: Duration = .seconds(10)

    @Option(help: ArgumentHelp("Which attacks, with commas between; all when nothing is said.", valueName: "attacks"))
    var only: String?

    @Option(help: ArgumentHelp("How hard to attack, in per cent of the usual rates.", valueName: "percent"))
    var rate = 100

    @Option(help: ArgumentHelp("Attack as with this number.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Descriptors that a node may have.", valueName: "number"))
    var descriptors = 1024

    @Option(help: ArgumentHelp("Memory that a node may have, in MiB; one that takes more is killed.", valueName: "MiB"))
    var memory = 1024

    @Option(
        help: ArgumentHelp(
            "Within which each call of the honest client must succeed; longer for slow builds and busy machines.",
            valueName: "duration"))
    var timeout: Duration = .seconds(10)

    @Flag(
        help: ArgumentHelp(
            "Let 'producers' post until the board is full; posts of the honest client may then be answered with read_only."))
    var untilFull = false

    @Flag(help: "Also fail when the honest client's p99 under attack is more than 5 times its quiet value.")
    var assertP99 = false

    @Option(
        help: ArgumentHelp(
            "No attack: so many workers, each with a connection and a parked claim; measures what they cost, and that one post "
                + "wakes one of them.", valueName: "number"))
    var workers: Int?

    @Option(
        help: ArgumentHelp(
            "Beside the workers, so many waits and claims on 16 connections, parked for boards without jobs.",
            valueName: "number"))
    var waits = 0

    @Flag(help: "Keep the folder with logs and data.")
    var keep = false

    func validate() throws {
        _ = try attacks()
        if duration < .seconds(1) { throw ValidationError("--duration must be at least 1s") }
        if quiet < .seconds(1) { throw ValidationError("--quiet must be at least 1s") }
        if timeout < .seconds(1) { throw ValidationError("--timeout must be at least 1s") }
        if !(1...1000).contains(rate) { throw ValidationError("--rate must be from 1 to 1000") }
        if !(64...1_000_000).contains(descriptors) { throw ValidationError("--descriptors must be from 64 to 1000000") }
        if !(16...1_000_000).contains(memory) { throw ValidationError("--memory must be from 16 to 1000000") }
        if !(0...100_000).contains(waits) { throw ValidationError("--waits must be from 0 to 100000") }
        if waits > 0, workers == nil { throw ValidationError("--waits needs --workers") }
        if !(1...50_000).contains(workers ?? 1) { throw ValidationError("--workers must be from 1 to 50000") }
    }

    private func attacks() throws -> [AttackKind] {
        guard let only else { return AttackKind.allCases }
        return try ClusterOptions.split(only).map { name in
            guard let kind = AttackKind(rawValue: name) else {
                let known = AttackKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--only: there is no attack '\(name)'; there are \(known)")
            }
            return kind
        }
    }

    func run() async throws {
        let command = self
        let isGood = try await Interruption.cancelling {
            if let workers = command.workers { return try await command.measure(workers) }
            return try await command.perform()
        }
        guard let isGood else { throw CommandFailure.failed("interrupted") }
        if !isGood { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func perform() async throws -> Bool {
        let attacks = try attacks()
        let own = DescriptorLimit.raise()
        let run = StrangersRun(
            attacks: attacks, quiet: quiet, duration: duration, seed: seed ?? .random(in: 0...999_999),
            memoryLimit: UInt64(memory) << 20, timeout: timeout, mayBeFull: untilFull)
        let notes = ChaosNotes(toErrors: false)
        let stage = try StrangersStage(
            descriptors: descriptors, memoryBytes: run.memoryLimit, hasStalledLog: attacks.contains(.log))
        notes.tell("3 nodes with \(descriptors) descriptors and \(memory) MiB each, seed \(run.seed), in \(stage.folder)")
        // A quarter stays for the honest client, for what else this process opens, and for connections on their way out.
        let scene = AttackScene(
            cluster: StrangersStage.cluster, targets: stage.targets, rate: rate, descriptors: min(8000, own * 3 / 4),
            producerBytes: untilFull ? 4 << 30 : 192 << 20)
        do {
            let ending = try await run.run(on: stage, scene, notes)
            if assertP99 {
                let report = StrangersReport(run: run, ending: ending, findings: [], keptFolder: nil)
                if report.ratio.map({ $0 > 5 }) ?? true {
                    notes.find("the honest client's p99 is more than 5 times its quiet value")
                }
            }
            let folder = stage.close(keep: keep)
            let report = StrangersReport(run: run, ending: ending, findings: notes.findings, keptFolder: folder)
            try Console.write(report.text)
            return notes.findings.isEmpty
        } catch {
            if let folder = stage.close(keep: keep) { notes.tell("kept: \(folder)") }
            throw error
        }
    }

    private func measure(_ workers: Int) async throws -> Bool {
        // A node begins to shed idle connections at nine tenths of what it can hold, beside those that are greeting.
        let needed = workers * 10 / 9 + 1500
        guard DescriptorLimit.raise() >= needed else {
            throw CommandFailure.failed(
                "skipped: \(workers) connections need \(needed) descriptors in this process and in each node, and "
                    + "the hard limit is \(DescriptorLimit.hard) (ulimit -Hn)"
            )
        }
        let notes = ChaosNotes(toErrors: false)
        let stage = try StrangersStage(descriptors: needed, memoryBytes: UInt64(memory) << 20, hasStalledLog: false)
        notes.tell("3 nodes with \(needed) descriptors each, in \(stage.folder)")
        do {
            let ending = try await WorkersRun(workers: workers, waits: waits, quiet: quiet, memoryLimit: UInt64(memory) << 20)
                .run(
                    on: stage, notes)
            let folder = stage.close(keep: keep)
            try Console.write(ending.text(notes.findings) + (folder.map { "kept      \($0)\n" } ?? ""))
            return notes.findings.isEmpty
        } catch {
            if let folder = stage.close(keep: keep) { notes.tell("kept: \(folder)") }
            throw error
        }
    }
}

/// How many descriptors this process may have.
enum DescriptorLimit {
    /// As far as an ordinary user may raise it.
    static var hard: Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_max)
    }

    /// Raises the soft limit to the hard one and gives it.
    static func raise() -> Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }
}
