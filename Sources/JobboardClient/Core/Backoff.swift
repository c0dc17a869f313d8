/// Growing, jittered delays between attempts, so that many clients that failed together do not come back together.
package struct Backoff: Sendable {
    /// The first delay's upper end, in nanoseconds.
    package static let shortest: Int64 = .milliseconds(10)
    /// The upper end that delays grow to, in nanoseconds.
    package static let longest: Int64 = .milliseconds(1000)

    private var ceiling = Backoff.shortest
    private var random: SplitMix

    package init(seed: UInt64) {
        random = SplitMix(state: seed)
    }

    /// The next delay in nanoseconds: somewhere in the upper half of a span that grows by half each time.
    /// Doubling would overshoot a fail-over, which takes about 100 ms, by up to as much again.
    package mutating func next() -> Int64 {
        let delay = Int64.random(in: ceiling / 2...ceiling, using: &random)
        ceiling = min(ceiling + ceiling / 2, Backoff.longest)
        return delay
    }

    /// Something worked: the next delay is short again.
    package mutating func reset() {
        ceiling = Backoff.shortest
    }
}

/// A small seeded generator (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
package struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(state: UInt64) {
        self.state = state
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
