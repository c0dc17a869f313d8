import ArgumentParser
import CProcess
import Foundation
import Logging
import NIOConcurrencyHelpers
import NodeServer
import NodeStorage
import ServiceLifecycle

/// `jobboard serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run one node.",
        discussion: """
            Without --config: one node on loopback, with its data in ./jobboard-data. With it: the node of that id in the \
            cluster file. SIGTERM and SIGINT end it in good order; \
            SIGHUP reads "log_level" from the cluster file again.

            Examples:
              jobboard serve
              jobboard serve --config cluster.json --node 2 --data /var/lib/jobboard
              jobboard serve --config cluster.json --node 2 --check
              jobboard serve --config cluster.json --node 2 --data /mnt/new-disk --rejoin
            """)

    @Option(help: ArgumentHelp("The cluster file.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Which of its nodes to run.", valueName: "id"))
    var node: UInt64?

    @Option(
        help: ArgumentHelp(
            "The data folder; made when it is missing. Default: what the file says, else ./jobboard-data.", valueName: "folder"))
    var data: String?

    @Flag(
        help: ArgumentHelp(
            "The data folder may be empty although this node was a member: it then asks all other nodes for what it had "
                + "acknowledged, before it takes part again. Has no effect on a folder that holds a log."))
    var rejoin = false

    @Flag(
        help: ArgumentHelp(
            "An empty data folder is that of a new cluster: the node takes part at once, and does not wait until all other nodes "
                + "have said that theirs are empty too. Jobs may be lost when that is not so. Has no effect on a folder that "
                + "holds a log."))
    var begin = false

    @Flag(
        help: ArgumentHelp(
            "Run nothing: check the cluster file against the data folder and the nodes that run, which are not disturbed. "
                + "Exit code 2 when something is wrong."))
    var check = false

    @Option(
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical. Default: what the file says, else info.", valueName: "level")
    )
    var logLevel: LogLevel?

    func validate() throws {
        if (config == nil) != (node == nil) { throw ValidationError("--config and --node go together") }
        if check, config == nil || rejoin || begin {
            throw ValidationError("--check goes with --config and --node, and neither with --rejoin nor with --begin")
        }
        if rejoin && begin { throw ValidationError("--rejoin excludes --begin") }
    }

    func run() async throws {
        if check, let config, let node { return try await checkFiles(config, node) }
        let logs = Console.queueNotes()
        let configuration = try config.map { try ClusterConfiguration.load(file: $0) } ?? .singleNode()
        let number = node ?? 1
        let level = NIOLockedValueBox(logLevel?.level ?? configuration.logLevel ?? .info)
        var logger = Logger(label: "jobboard", factory: { _ in LineLogHandler(level: level) })
        logger[metadataKey: "node"] = "\(number)"
        let server = try NodeServer(
            configuration: configuration, node: number, dataFolder: folder(configuration, number),
            emptyLog: rejoin ? .lost : begin ? .beginning : .unexplained,
            logger: logger, logs: logs)
        jobboard_close_sockets_on_crash()
        let signals = listenToSignals(level, logger)
        defer { signals.cancel() }
        try await ServiceRun.untilSignal([.init(service: server)], logger: logger)
    }

    /// SIGHUP reads the log level from the cluster file again; SIGUSR1 and SIGUSR2 would end the process without a word.
    private func listenToSignals(_ level: NIOLockedValueBox<Logger.Level>, _ logger: Logger) -> Task<Void, Never> {
        let signals = Interruption.stream(of: [SIGHUP, SIGUSR1, SIGUSR2])
        return Task {
            for await signal in signals {
                guard signal == SIGHUP else {
                    logger.notice("a signal that means nothing to a node", metadata: ["signal": "\(signal)"])
                    continue
                }
                reload(level, logger)
            }
        }
    }

    private func reload(_ level: NIOLockedValueBox<Logger.Level>, _ logger: Logger) {
        guard let config else { return logger.notice("SIGHUP: there is no cluster file to read again") }
        do throws(ConfigurationError) {
            let new = try ClusterConfiguration.load(file: config).logLevel ?? logLevel?.level ?? .info
            level.withLockedValue { $0 = new }
            logger.notice("SIGHUP: the log level was read again", metadata: ["log.level": "\(new.rawValue)"])
        } catch {
            logger.error("SIGHUP: the cluster file can't be read again", metadata: ["error.reason": "\(error)"])
        }
    }

    private func checkFiles(_ config: String, _ node: UInt64) async throws {
        let configuration = try ClusterConfiguration.load(file: config)
        let check = try FileCheck(configuration: configuration, node: node)
        try Console.write("\(config): right for node \(node) of cluster \"\(configuration.cluster)\"\n")
        let findings = [check.folder(folder(configuration, node))] + (await check.peers())
        for finding in findings {
            try Console.write("\(finding.verdict == .wrong ? "WRONG " : "")\(finding.line)\n")
        }
        let wrong = findings.count { $0.verdict == .wrong }
        guard wrong == 0 else { throw CommandFailure.usage("\(wrong) of what was looked at does not fit the cluster file") }
    }

    private func folder(_ configuration: ClusterConfiguration, _ number: UInt64) -> String {
        if let data { return data }
        guard config != nil else { return "jobboard-data" }
        return "\(configuration.dataFolder ?? "jobboard-data")/node-\(number)"
    }
}

/// A log level as an argument.
struct LogLevel: ExpressibleByArgument {
    var level: Logger.Level

    init(level: Logger.Level) {
        self.level = level
    }

    init?(argument: String) {
        guard let level = Logger.Level(rawValue: argument.lowercased()) else { return nil }
        self.level = level
    }

    var defaultValueDescription: String { level.rawValue }
    static var allValueStrings: [String] { Logger.Level.allCases.map(\.rawValue) }
}
