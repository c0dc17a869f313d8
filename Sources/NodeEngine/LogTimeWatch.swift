/// Decides when operators are told that log time is far ahead of the clocks.
struct LogTimeWatch: Sendable {
    /// Log time that is further ahead than this, in milliseconds, takes ten days or more to be caught up with.
    static let threshold: UInt64 = 86_400_000
    /// In milliseconds.
    static let repeatEvery: UInt64 = 3_600_000

    private var nextNotice: UInt64 = 0

    /// How far log time is ahead, when that is to be said now.
    mutating func check(_ ahead: UInt64, now: UInt64) -> UInt64? {
        guard ahead > Self.threshold, now >= nextNotice else { return nil }
        nextNotice = now + Self.repeatEvery
        return ahead
    }
}
