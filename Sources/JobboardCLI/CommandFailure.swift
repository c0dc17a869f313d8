import ArgumentParser
import EventLog
import Jobboard
import NodeEngine
import NodeServer

/// Why a command did not do what it was asked: one line for people, and the exit code.
struct CommandFailure: Error, Equatable {
    var status: ExitStatus
    /// The word of the board's error, or one for what went wrong on this side.
    var code: String
    var message: String

    init(_ status: ExitStatus, code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    /// The command line itself is wrong, or a file it names.
    static func usage(_ message: String) -> CommandFailure {
        CommandFailure(.usage, code: "usage", message)
    }

    static func failed(_ message: String) -> CommandFailure {
        CommandFailure(.failed, code: "failed", message)
    }

    /// Whatever a command threw.
    init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as JobboardError: self.init(ExitStatus(error), code: error.code.rawValue, Self.message(of: error))
        case let error as ConfigurationError: self = .usage(error.description)
        case let error as NodeError where error.code == .usage: self = .usage(error.description)
        case let error as NodeError: self = .failed(error.description)
        case let error as EventLogError where error.code == .damaged:
            self.init(.failed, code: "damaged", error.description)
        case let error as EventLogError: self = .failed(error.description)
        case let error as DiskError where error.reason == .notFound:
            self.init(.notFound, code: "not_found", error.description)
        case let error as DiskError: self = .failed(error.description)
        case let error as ApplyError: self = .failed(error.description)
        case let exit as ExitCode where exit != .validationFailure: self.init(exit)
        case is CancellationError: self = .failed("interrupted")
        default: self.init(parsing: error)
        }
    }

    private init(_ exit: ExitCode) {
        self.init(ExitStatus(rawValue: exit.rawValue) ?? .failed, code: "", "")
    }

    /// An error of the argument parser, or of something that nobody thought of.
    private init(parsing error: any Error) {
        guard RootCommand.exitCode(for: error) == .validationFailure else {
            self = .failed(Self.oneLine("\(error)"))
            return
        }
        let help = Self.quotedHelp(in: RootCommand.fullMessage(for: error)) ?? "'jobboard --help'"
        self = .usage(Self.oneLine(RootCommand.message(for: error)) + " (see \(help))")
    }

    /// The parser's pointer to the right help: "See 'jobboard claim --help' for more information."
    private static func quotedHelp(in text: String) -> Substring? {
        text.firstRange(of: /'jobboard[a-z ]* --help'/).map { text[$0] }
    }

    /// What stands after "jobboard: " on standard error.
    var line: String { code.isEmpty ? message : "\(code): \(message)" }

    /// False for an exit code alone: the command has said all there was to say.
    var isWorthALine: Bool { !(code.isEmpty && message.isEmpty) }

    private static func message(of error: JobboardError) -> String {
        var text = oneLine(error.message)
        if let owner = error.owner.map(oneLine), !text.contains(owner) { text += " (held by \(owner))" }
        if error.outcome == .unknown { text += " (nobody can tell whether it was done)" }
        return text
    }

    /// For a line on a terminal, whatever names of others are in it.
    private static func oneLine(_ text: String) -> String {
        Console.printable(text.split(whereSeparator: \.isNewline).joined(separator: " "))
    }
}
