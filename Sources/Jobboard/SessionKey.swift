/// What a client proves with that a session is its own: 128 random bits, drawn by the client and presented once on each
/// connection. Nodes neither keep nor log it.
package struct SessionToken: Hashable, Sendable, CustomStringConvertible {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Hides the bits.
    package var description: String { "a session token" }
}

/// A one-way hash of a session's token, which the board keeps in its place.
package struct SessionKey: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// For tests and simulation: the token can be told from it.
    package init(mixing token: SessionToken) {
        var mixer = Mixer()
        mixer.combine(token.high)
        mixer.combine(token.low)
        high = mixer.value
        mixer.combine(1 as UInt64)
        low = mixer.value
    }
}
