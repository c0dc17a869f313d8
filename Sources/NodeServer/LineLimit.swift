import NIOCore

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

    /// Whether a line may come now.
    mutating func take() -> UInt64? { take(at: NIODeadline.now().uptimeNanoseconds / 1_000_000) }

    /// Whether a line may come at this moment, in milliseconds: how many were kept back since the last one, or nil.
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
