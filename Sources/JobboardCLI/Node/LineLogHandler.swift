import Foundation
import Jobboard
import Logging
import NIOConcurrencyHelpers
import WireFormat

/// One line a message on standard error: time, level, message, then key=value in the order of the keys.
struct LineLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    /// All copies of a handler have the same level, so that it can be changed while a node runs.
    private let level: NIOLockedValueBox<Logger.Level>

    init(level: NIOLockedValueBox<Logger.Level> = NIOLockedValueBox(.info)) {
        self.level = level
    }

    var logLevel: Logger.Level {
        get { level.withLockedValue { $0 } }
        set { level.withLockedValue { $0 = newValue } }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = event.metadata.map { metadata.merging($0) { _, new in new } } ?? metadata
        Console.note(Self.line(.now, event.level, "\(event.message)", all))
    }

    /// In UTF-8 bytes.
    private static let longestLine = 8 << 10

    static func line(_ time: Timestamp, _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
        var line = "\(RFC3339.text(time)) \(level.rawValue) \(oneLine(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(quoted("\(value)"))" }
        return withoutControls(line)
    }

    private static func oneLine(_ text: String) -> String {
        text.contains(where: \.isNewline) ? text.split(whereSeparator: \.isNewline).joined(separator: " ") : text
    }

    /// What would move a terminal's cursor, turn its text around or not be seen, as JSON escapes: lines hold what strangers have sent.
    private static func withoutControls(_ line: String) -> String {
        var safe = ""
        for scalar in line.unicodeScalars {
            guard safe.utf8.count < longestLine else { return safe + "…" }
            guard scalar.isUnseen else {
                safe.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                safe += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return safe
    }

    /// As it is, or as a JSON string when it would not stay one word.
    private static func quoted(_ text: String) -> String {
        let isWord =
            !text.isEmpty
            && text.allSatisfy { !$0.isWhitespace && $0 != "\"" && $0 != "=" && !$0.unicodeScalars.contains(where: \.isUnseen) }
        guard !isWord else { return text }
        var writer = JSONWriter()
        writer.string(text)
        return writer.text
    }
}
