import ArgumentParser
import Logging
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
            cluster file. SIGTERM and SIGINT end it in good order.

            Examples:
              jobboard serve
              jobboard serve --config cluster.json --node 2 --data /var/lib/jobboard
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

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel: LogLevel = LogLevel(level: .info)

    func validate() throws {
        if (config == nil) != (node == nil) { throw ValidationError("--config and --node go together") }
        if rejoin && begin { throw ValidationError("--rejoin excludes --begin") }
    }

    func run() async throws {
        let logs = Console.queueNotes()
        let configuration = try config.map { try ClusterConfiguration.load(file: $0) } ?? .singleNode()
        let number = node ?? 1
        var logger = Logger(label: "jobboard", factory: { _ in LineLogHandler() })
        logger.logLevel = logLevel.level
        logger[metadataKey: "node"] = "\(number)"
        let server = try NodeServer(
            configuration: configuration, node: number, dataFolder: folder(configuration, number),
            emptyLog: rejoin ? .lost : begin ? .beginning : .unexplained,
            logger: logger, logs: logs)
        try await ServiceRun.untilSignal([.init(service: server)], logger: logger)
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
