import Logging
import NodeEngine

/// Lines of log that strangers can cause, by what they do wrong. Each kind comes a few times at once and then once a second, and
/// its fields are cut off, so that a flood of garbage does not become a flood of lines.
///
/// Used on one event loop.
final class StrangerLog {
    enum Kind: Int, CaseIterable {
        case client
        case peerPort
        case peerStream
        case dialledPeer
        case datagram
        case shed
    }

    private let logger: Logger
    private let fieldBytes: Int
    private var limits: [LineLimit]

    init(logger: Logger, budgets: Budgets = Budgets()) {
        self.logger = logger
        fieldBytes = budgets[.strangerField]
        limits = Kind.allCases.map { _ in LineLimit(atOnce: budgets[.strangerLines]) }
    }

    func warning(_ kind: Kind, _ message: Logger.Message, _ metadata: @autoclosure () -> Logger.Metadata) {
        guard let suppressed = limits[kind.rawValue].take() else { return }
        var metadata = metadata().mapValues { Logger.MetadataValue.string(Self.cut("\($0)", to: fieldBytes)) }
        if suppressed > 0 { metadata[LogKey.suppressed] = "\(suppressed)" }
        logger.warning(message, metadata: metadata)
    }

    /// At most so many bytes of UTF-8, whole characters, with a mark that there were more.
    static func cut(_ text: String, to count: Int) -> String {
        guard text.utf8.count > count else { return text }
        var kept = ""
        var length = 0
        for scalar in text.unicodeScalars {
            length += UTF8.width(scalar)
            guard length <= count else { break }
            kept.unicodeScalars.append(scalar)
        }
        return kept + "…"
    }
}
