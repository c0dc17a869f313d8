import ArgumentParser
import Dispatch
import Foundation

/// Parses the command line, runs the command, and ends the process with one of the documented exit codes.
@main
enum EntryPoint {
    static func main() {
        // A reader that goes away shows as an error of the write, and does not kill a worker in the middle of a job.
        signal(SIGPIPE, SIG_IGN)
        // Before anything else: no thread, no file and no other signal handler is lost with the process's image.
        if let name = CommandLine.arguments.dropFirst().first, AllocatorTuning.commands.contains(name) { AllocatorTuning.apply() }
        do {
            // Before the first task, which needs a thread.
            try ResourceCheck.run()
        } catch {
            end(with: error)
        }
        Task { await run() }
        dispatchMain()
    }

    private static func run() async -> Never {
        do {
            try SystemText.check(SystemText.arguments)
            var command = try await RootCommand.asyncParseAsRoot(NegativeValues.tied(Array(CommandLine.arguments.dropFirst())))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            Console.flushNotes()
        } catch {
            end(with: error)
        }
        exit(ExitStatus.ok.rawValue)
    }

    private static func end(with error: any Error) -> Never {
        if RootCommand.exitCode(for: error) == .success {
            // Help or version was asked for.
            let text = RootCommand.fullMessage(for: error)
            if !text.isEmpty { try? Console.write(text + "\n") }
            exit(ExitStatus.ok.rawValue)
        }
        let failure = CommandFailure(error)
        if failure.isWorthALine { Console.note("jobboard: \(failure.line)") }
        Console.flushNotes()
        exit(failure.status.rawValue)
    }
}
