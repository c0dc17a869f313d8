import NIOCore

/// Lets through a few messages a second, and counts the rest.
struct MessagePacer {
    private let perSecond: Int
    private var left: Int
    private var secondEnds = NIODeadline.now()
    private var skipped = 0

    init(perSecond: Int = 5) {
        self.perSecond = perSecond
        left = 0
    }

    /// How many were not let through since the last that was, or nil when this one is not either.
    mutating func take(at now: NIODeadline) -> Int? {
        if now >= secondEnds {
            secondEnds = now + .seconds(1)
            left = perSecond
        }
        guard left > 0 else {
            skipped += 1
            return nil
        }
        left -= 1
        defer { skipped = 0 }
        return skipped
    }
}
