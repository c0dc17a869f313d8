import ArgumentParser
import Foundation
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
            fence tells the two apart. The same happens after --max-run, which counts as a failure, and to what a command \
            leaves running in the background when it ends. When the worker is killed, its commands are killed.

            A command that can't be started is no failure of the job, which is given back. When that may pass (no process, \
            descriptor or memory to be had), the worker claims nothing for a while; else it ends with exit code 1.

            SIGTERM, SIGINT and, unless it is ignored as under nohup, SIGHUP end the worker: what runs is stopped in the \
            same way and its jobs are given back at once, not as failures; the exit code is 0. With --until-idle, 5 means \
            that no node could say whether there is anything to do.

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

    @Option(
        help: ArgumentHelp("Stop a command that runs longer, and count it as a failure.", valueName: "duration"))
    var maxRun: Duration?

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
        if maxRun != nil, justConsume { throw ValidationError("--max-run goes with a command") }
        if let maxRun, maxRun <= .zero { throw ValidationError("--max-run must be more than nothing") }
        if record != nil, !justConsume { throw ValidationError("--record goes with --just-consume") }
        if !(1...10_000).contains(concurrency) { throw ValidationError("-n must be from 1 to 10000") }
    }

    func run() async throws {
        // Where it is ignored, the system forgets how processes ended; whoever started us may have left it so.
        signal(SIGCHLD, SIG_DFL)
        let ignoresHangup = Interruption.ignoresHangup
        let words = SystemText.lastArguments(command)
        if let program = words.first, Spawn.find(program) == nil { throw CommandFailure.usage("can't run \(command[0])") }
        let thread = try CommandThread()
        var logger = Logger(label: "jobboard.work", factory: { _ in LineLogHandler() })
        logger.logLevel = .warning
        let client = try cluster.makeClient(board: board.board)
        let idle = untilIdle.map { limit in
            IdleWatch(limit: limit) { _ = try await client.count(state: .unclaimed) }
        }
        let nodes = try cluster.addresses().addresses.joined(separator: ",")
        let handler = CommandHandler(
            command: Spawn.Command(
                words: words, environment: CommandHandler.environment(nodes: nodes), diesWithThread: true,
                ignoresHangup: ignoresHangup),
            limit: maxRun, thread: thread)
        var services = [try service(client, handler, idle, logger)]
        if let idle {
            services.append(.init(service: idle, successTerminationBehavior: .gracefullyShutdownGroup))
        }
        let failure: (any Error)?
        do {
            let signals = [SIGINT, SIGTERM] + (ignoresHangup ? [] : [SIGHUP])
            try await ServiceRun.untilSignal(services, of: signals, logger: logger)
            failure = nil
        } catch {
            failure = error
        }
        // What commands left behind gets its SIGKILL before we go.
        await thread.untilNoneIsLeft()
        await client.shutdown()
        switch failure {
        case nil: break
        case let trouble as Worker.CannotRun: throw CommandFailure.failed("\(trouble); the job was given back")
        case let error?: throw error
        }
    }

    private func service(
        _ client: JobboardClient, _ handler: CommandHandler, _ idle: IdleWatch?, _ logger: Logger
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
        if let idle { options.isBusy = { $0 ? idle.began() : idle.ended() } }
        return .init(
            service: Worker(client: client, who: who, options: options, logger: logger) { job, claim in
                try await handler.handle(job, claim)
            })
    }
}
