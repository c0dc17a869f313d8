import ArgumentParser
import Foundation
import NodeServer

/// `jobboard secret`.
struct SecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Make the secret by which nodes know each other.", subcommands: [New.self])

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new",
            abstract: "Print a new secret, or put it into a new file that only you can read.",
            discussion: """
                All nodes of a cluster have the same secret: each reads it from the file that "secret_file" in its cluster file \
                names. Clients need none.

                Examples:
                  jobboard secret new
                  jobboard secret new --file /etc/jobboard/secret
                """)

        @Option(help: ArgumentHelp("A new file for it, instead of standard output.", valueName: "file"))
        var file: String?

        func run() async throws {
            let line = ClusterSecret.fresh() + "\n"
            guard let file else { return try Console.write(line) }
            let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw CommandFailure.usage("\(file): \(String(cString: strerror(errno)))") }
            defer { close(descriptor) }
            let code = Console.write(Array(line.utf8), to: descriptor)
            guard code == 0, fsync(descriptor) == 0 else {
                throw CommandFailure.failed("\(file): \(String(cString: strerror(code == 0 ? errno : code)))")
            }
        }
    }
}
