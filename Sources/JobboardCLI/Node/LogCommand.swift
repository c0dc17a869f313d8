import ArgumentParser

/// `jobboard log`: what can be done with a data folder without a node.
struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Read a node's data folder offline.",
        subcommands: [LogDumpCommand.self, LogVerifyCommand.self, LogDiffCommand.self])
}
