import CProcess
import Foundation

/// Arguments and environment as the system has them: bytes, which need not be UTF-8. `CommandLine.arguments` and
/// `ProcessInfo` put a replacement character where they are not.
enum SystemText {
    /// Our environment, an entry a variable: `NAME=value`.
    static var environment: [[UInt8]] {
        var entries: [[UInt8]] = []
        guard var place = jobboard_environment() else { return [] }
        while let entry = place.pointee {
            entries.append(bytes(of: entry))
            place += 1
        }
        return entries
    }

    /// Our environment with some variables set anew.
    static func environment(with changes: [String: String]) -> [[UInt8]] {
        let names = changes.keys.map { Array("\($0)=".utf8) }
        let kept = environment.filter { entry in !names.contains { entry.starts(with: $0) } }
        return kept + changes.sorted { $0.key < $1.key }.map { Array("\($0)=\($1)".utf8) }
    }

    static func variable(_ name: String) -> [UInt8]? {
        let start = Array("\(name)=".utf8)
        return environment.first { $0.starts(with: start) }.map { Array($0.dropFirst(start.count)) }
    }

    /// The arguments of this process, its own name left out.
    static var arguments: [[UInt8]] {
        (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0].map { bytes(of: $0) } }
    }

    /// The bytes of words at the end of our command line, which the parser gave as text.
    static func lastArguments(_ words: [String]) -> [[UInt8]] {
        let last = Array(arguments.suffix(words.count))
        let isSame = last.map { String(decoding: $0, as: UTF8.self) } == words
        return isSame ? last : words.map { Array($0.utf8) }
    }

    /// Refuses arguments that would be taken for others than they are. The command that `work` runs gets its own as they are.
    static func check(_ arguments: [[UInt8]]) throws(CommandFailure) {
        let isWork = arguments.first == Array("work".utf8)
        for (place, argument) in arguments.enumerated() {
            if isWork, argument == Array("--".utf8) { return }
            guard String(validating: argument, as: UTF8.self) == nil else { continue }
            throw .usage("argument \(place + 1) is not UTF-8: \(Console.printable(String(decoding: argument, as: UTF8.self)))")
        }
    }

    private static func bytes(of text: UnsafePointer<CChar>) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }
}
