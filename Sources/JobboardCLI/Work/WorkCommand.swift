import ArgumentParser
import Jobboard
import JobboardClient
import Logging
import ServiceLifecycle

/// `jobboard work`.
struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work",
        abstract: "Claim jobs and run a command for each.",
        discussion: """
            The command gets the job's details on its standard input, and in its environment JOBBOARD_JOB, JOBBOARD_NAME, \
            JOBBOARD_FENCE, JOBBOARD_BOARD, JOBBOARD_WHO and JOBBOARD_NODES. While it runs, its claim is kept alive.

            Exit 0 consumes the job. Any other end counts as a failure: the job comes back after a pause that grows, and \
            after its --max-failures it is TRASHED. When the claim is lost, for instance because this machine slept longer \
            than the lease, the command gets SIGTERM, and SIGKILL five seconds later: somebody else has the job then. The \
            fence tells the two apart.

            SIGTERM and SIGINT end the worker: what runs is stopped in the same way and its jobs are given back at once, \
            not as failures; the exit code is 0.

            Examples:
              jobboard work --who worker-1 -- ./resize.sh
              jobboard work --who worker-2 -n 8 --name send-email -- sh -c 'jq -r .to | xargs ./send'
            """)

    @Option(help: ArgumentHelp("The name under which to claim; two workers need two names.", valueName: "name"))
    var who: String

    @Option(
        name: [.customShort("n"), .long], help: ArgumentHelp("So many jobs at a time.", valueName: "number"))
    var concurrency = 1

    @Option(help: ArgumentHelp("How long a claim stands without a sign of life from this worker.", valueName: "duration"))
    var lease: Duration = .seconds(30)

    @Option(help: ArgumentHelp("Only jobs of this name.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("End with 0 when nothing was claimable for so long.", valueName: "duration"))
    var untilIdle: Duration?

    @Flag(help: "Run nothing: consume each job as soon as it is claimed. For trying things out.")
    var justConsume = false

    @Option(
        help: ArgumentHelp("With --just-consume: append a line for each job consumed.", valueName: "file", visibility: .hidden))
    var record: String?

    @Argument(parsing: .postTerminator, help: ArgumentHelp("The program and its arguments.", valueName: "command"))
    var command: [String] = []

    @OptionGroup var board: BoardOptions
    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        if command.isEmpty != justConsume { throw ValidationError("give a command after --, or --just-consume") }
        if record != nil, !justConsume { throw ValidationError("--record goes with --just-consume") }
        if !(1...10_000).contains(concurrency) { throw ValidationError("-n must be from 1 to 10000") }
    }

    func run() async throws {
        if let program = command.first, Spawn.find(program) == nil { throw CommandFailure.usage("can't run \(program)") }
        var logger = Logger(label: "jobboard.work", factory: { _ in LineLogHandler() })
        logger.logLevel = .warning
        let idle = untilIdle.map(IdleWatch.init)
        let client = try cluster.makeClient(board: board.board)
        var services = [try service(client, idle, logger)]
        if let idle {
            services.append(.init(service: idle, successTerminationBehavior: .gracefullyShutdownGroup))
        }
        do {
            try await ServiceRun.untilSignal(services, logger: logger)
            await client.shutdown()
        } catch {
            await client.shutdown()
            throw error
        }
    }

    private func service(
        _ client: JobboardClient, _ idle: IdleWatch?, _ logger: Logger
    ) throws -> ServiceGroupConfiguration.ServiceConfiguration {
        guard !justConsume else {
            let recorder = try record.map { path throws(CommandFailure) in try JobRecorder(path: path) }
            return .init(
                service: JustConsume(
                    client: client, who: who, concurrency: concurrency, lease: lease, wait: .seconds(30), name: name,
                    recorder: recorder, idle: idle))
        }
        var options = Worker.Options()
        options.concurrency = concurrency
        options.lease = lease
        options.name = name
        options.shutdown = .cancel
        let nodes = try cluster.addresses().addresses.joined(separator: ",")
        let handler = CommandHandler(command: command, environment: ["JOBBOARD_NODES": nodes])
        return .init(
            service: Worker(client: client, who: who, options: options, logger: logger) { job, claim in
                idle?.began()
                defer { idle?.ended() }
                return try await handler.handle(job, claim)
            })
    }
}
