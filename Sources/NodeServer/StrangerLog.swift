import Logging
import NIOCore
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
        guard let suppressed = limits[kind.rawValue].take(at: NIODeadline.now().uptimeNanoseconds / 1_000_000) else { return }
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

/// Lets a few lines through at once, and then one a second.
struct LineLimit {
    private let atOnce: Int
    private var left: Int
    /// When one more is allowed again, in milliseconds; counts while fewer than `atOnce` are.
    private var next: UInt64 = 0
    private var suppressed: UInt64 = 0
    private static let interval: UInt64 = 1000

    init(atOnce: Int) {
        self.atOnce = atOnce
        left = atOnce
    }

    /// Whether a line may come now: how many were kept back since the last one, or nil.
    mutating func take(at now: UInt64) -> UInt64? {
        if left == atOnce { next = now + Self.interval }
        if now >= next {
            let more = 1 + (now - next) / Self.interval
            left = Int(min(UInt64(atOnce), UInt64(left) + more))
            next += more * Self.interval
        }
        guard left > 0 else {
            suppressed += 1
            return nil
        }
        left -= 1
        defer { suppressed = 0 }
        return suppressed
    }
}
