/// A moment of the local monotonic clock. The core is told the time and never reads a clock itself.
package struct Moment: Hashable, Comparable, Sendable {
    /// Nanoseconds since some fixed moment of this machine's life.
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Later than every moment that is ever reached.
    package static let never = Moment(nanoseconds: .max)

    package static func < (left: Moment, right: Moment) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment `delta` nanoseconds later; at the end of time it stays there.
    package func adding(_ delta: Int64) -> Moment {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(delta)
        return overflow ? .never : Moment(nanoseconds: sum)
    }

    /// Nanoseconds from now to this moment; 0 when it has passed.
    package func left(at now: Moment) -> Int64 {
        self <= now ? 0 : nanoseconds - now.nanoseconds
    }
}

extension Int64 {
    /// So many milliseconds, in nanoseconds.
    package static func milliseconds(_ count: Int64) -> Int64 { count * 1_000_000 }
}

extension Duration {
    /// In nanoseconds; what is negative is 0 and what is too long (over a century) is cut.
    package var clampedNanoseconds: Int64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        guard seconds < 4_000_000_000 else { return 4_000_000_000_000_000_000 }
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// In whole milliseconds, rounded up, so that what is not zero does not become zero.
    package var clampedMilliseconds: UInt64 {
        UInt64((clampedNanoseconds + 999_999) / 1_000_000)
    }
}
