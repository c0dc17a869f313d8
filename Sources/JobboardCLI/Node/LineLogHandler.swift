import Foundation
import Jobboard
import Logging
import WireFormat

/// One line a message on standard error: time, level, message, then key=value in the order of the keys.
struct LineLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = event.metadata.map { metadata.merging($0) { _, new in new } } ?? metadata
        Console.note(Self.line(.now, event.level, "\(event.message)", all))
    }

    static func line(_ time: Timestamp, _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
        var line = "\(RFC3339.text(time)) \(level.rawValue) \(oneLine(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(quoted("\(value)"))" }
        return line
    }

    private static func oneLine(_ text: String) -> String {
        text.contains(where: \.isNewline) ? text.split(whereSeparator: \.isNewline).joined(separator: " ") : text
    }

    /// As it is, or as a JSON string when it would not stay one word.
    private static func quoted(_ text: String) -> String {
        let isWord = !text.isEmpty && text.allSatisfy { !$0.isWhitespace && $0 != "\"" && $0 != "=" }
        guard !isWord else { return text }
        var writer = JSONWriter()
        writer.string(text)
        return writer.text
    }
}
