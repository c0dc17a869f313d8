/// Tells when one side of a stream between nodes should send a ping, and when the stream is dead although it is open.
///
/// Nothing else notices that: TCP reports a loss only for bytes that it has sent and nobody has acknowledged, and an altered
/// length leaves a receiver waiting for a record that never comes. So each side sends a ping when it has had nothing to send for
/// a while, and closes the stream when no whole record has arrived for a longer while. Both sides do, since a proxy between them
/// can be dead in one direction alone.
///
/// A record is small (`Framing.maximumRecord`), so on any connection on which a cluster works at all, bulk arrives as many
/// whole records; bytes of one that doesn't become whole are no sign of life.
package struct StreamWatch: Sendable {
    package enum Verdict: Sendable, Equatable {
        case healthy
        /// Send a ping.
        case ping
        /// Close the stream: no whole record has come in time. True: one had begun.
        case dead(inRecord: Bool)
    }

    /// A ping goes out after this much silence of this side, in milliseconds.
    private let pingAfter: UInt64
    /// The stream is dead after this much silence of the other side, in milliseconds.
    private let deadAfter: UInt64
    private var lastSent: UInt64
    private var lastHeard: UInt64
    /// Looks since a record came. A node that stood still itself finds late what had come in time, so the clock alone is not
    /// believed.
    private var looks = 0
    private static let minimumLooks = 10

    package init(now: UInt64, budgets: Budgets = Budgets()) {
        pingAfter = UInt64(budgets[.streamPing])
        deadAfter = UInt64(budgets[.streamSilence])
        lastSent = now
        lastHeard = now
    }

    package mutating func sent(at now: UInt64) {
        lastSent = now
    }

    /// A whole record has come, and its code was right.
    package mutating func heard(at now: UInt64) {
        lastHeard = now
        looks = 0
    }

    /// To be asked every few milliseconds, after what has arrived was read.
    package mutating func look(at now: UInt64, isInRecord: Bool) -> Verdict {
        looks += 1
        if now >= lastHeard + deadAfter, looks >= Self.minimumLooks { return .dead(inRecord: isInRecord) }
        guard now >= lastSent + pingAfter else { return .healthy }
        lastSent = now
        return .ping
    }
}
