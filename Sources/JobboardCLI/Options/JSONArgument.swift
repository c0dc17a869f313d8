import Foundation
import WireFormat

/// JSON given on the command line: the text itself, `@FILE`, or `-` for standard input.
enum JSONArgument {
    /// Reads and checks it, so that a typing error is refused before anything is sent.
    static func read(_ argument: String, option: String) throws(CommandFailure) -> [UInt8] {
        let bytes: [UInt8]
        if argument == "-" {
            bytes = Array(FileHandle.standardInput.readDataToEndOfFile())
        } else if argument.hasPrefix("@") {
            let path = String(argument.dropFirst())
            guard let data = FileManager.default.contents(atPath: path) else {
                throw .usage("\(option): can't read \(path)")
            }
            bytes = Array(data)
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
}
