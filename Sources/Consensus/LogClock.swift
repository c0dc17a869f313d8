/// The clocks behind the time that a leader stamps into entries: this node's wall clock, freed of leaps, and how long ago it
/// stored the last entry of its log.
///
/// Log time never runs backwards, so entries that were stamped while a majority's clocks were ahead would stop it once those
/// clocks are corrected, and with it every lease, delay and back-off. Therefore it goes on at nine tenths of the monotonic
/// clock until the wall clocks have caught up.
struct LogClock: Sendable {
    /// While log time is ahead of the wall clocks it passes by this much less than real time, as one part in so many: slow
    /// enough to be caught up with, and never faster than true time, so that no lease ends early.
    private static let slowdown: UInt64 = 10
    /// A leap ahead of the wall clock is taken in by letting time pass faster by one part in so many. A lease then still
    /// lasts four fifths of its time, which leaves its owner's renewals well in time.
    private static let speedup: UInt64 = 4

    /// The wall clock, in milliseconds since the Unix epoch; after a leap ahead it follows at most a quarter faster than
    /// the monotonic clock. A wall clock that is set back is followed at once: `stamp` sees to it that time does not.
    private(set) var wall: UInt64
    /// Where `wall` last showed what the machine's clock did.
    private var anchor: Moment
    /// The monotonic clock when this node stored the last entry of its log; of entries that it found there, when it opened
    /// its folder.
    private(set) var lastStored: UInt64

    init(openedAt moment: Moment) {
        wall = moment.wall
        anchor = moment
        lastStored = moment.monotonic
    }

    /// Time has passed. `monotonic` counts the time in which the machine was suspended, so that waking up is no leap.
    mutating func advance(to moment: Moment) {
        let passed = moment.monotonic - min(anchor.monotonic, moment.monotonic)
        let fastest = anchor.wall &+ passed + passed / Self.speedup
        if moment.wall <= fastest {
            wall = moment.wall
            anchor = moment
        } else {
            wall = fastest
        }
    }

    /// The log has a new last entry.
    mutating func stored(at monotonic: UInt64) {
        lastStored = monotonic
    }

    /// The earliest time that the next entry may have, when the last one has `lastTime`.
    func earliest(after lastTime: UInt64, at monotonic: UInt64) -> UInt64 {
        let passed = monotonic - min(lastStored, monotonic)
        return lastTime &+ (passed - passed / Self.slowdown)
    }
}
