import Foundation
import WireFormat

/// JSON given on the command line: the text itself, `@FILE`, or `-` for standard input.
enum JSONArgument {
    /// Far more than any board takes, so that an endless input is refused and not kept.
    private static let longest = 16 << 20

    /// Reads and checks it, so that a typing error is refused before anything is sent.
    static func read(_ argument: String, option: String) throws(CommandFailure) -> [UInt8] {
        let bytes: [UInt8]
        if argument == "-" {
            bytes = try readAll(STDIN_FILENO, "standard input", option)
        } else if argument.hasPrefix("@") {
            let path = String(argument.dropFirst())
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw unreadable(path, option) }
            defer { close(file) }
            bytes = try readAll(file, path, option)
        } else {
            bytes = Array(argument.utf8)
        }
        do {
            // Only the value: a line feed at the end of a file is not part of it.
            return Array(bytes[try JSONReader.read(bytes).range])
        } catch {
            throw .usage("\(option): not JSON: \(error.message)")
        }
    }

    private static func readAll(_ file: Int32, _ name: String, _ option: String) throws(CommandFailure) -> [UInt8] {
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Foundation.read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(name, option) }
            guard count > 0 else { return all }
            all += piece[..<count]
            guard all.count <= longest else { throw .usage("\(option): \(name) is longer than \(longest) bytes") }
        }
    }

    private static func unreadable(_ name: String, _ option: String) -> CommandFailure {
        .usage("\(option): can't read \(name): \(String(cString: strerror(errno)))")
    }
}
