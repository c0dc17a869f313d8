package import DequeModule

/// What a leader knows of one follower.
package struct Progress: Sendable, Equatable {
    package struct Flight: Sendable, Equatable {
        package var last: LogIndex
        package var bytes: Int
        package var sentAt: UInt64
    }

    package enum Mode: Sendable, Equatable {
        /// Not known where the logs agree: one append at a time, sent again after a while.
        case probing(sentAt: UInt64?)
        /// Known: appends follow each other without waiting.
        case streaming
        /// The entries it needs are being read from disk.
        case loading
        /// The entries it needs are in a snapshot alone, which was offered.
        case installing(offeredAt: UInt64)
    }

    /// Known to be equal to ours and durable there.
    package var match: LogIndex = 0
    /// The next index to send.
    package var next: LogIndex
    package var mode: Mode = .probing(sentAt: nil)
    /// The appends sent and not acknowledged.
    package var inFlight: Deque<Flight> = []
    package var inFlightBytes = 0
    /// When it last said something useful in this term.
    package var lastHeard: UInt64
    /// When an answer last showed that `match` grew, or that there was nothing to acknowledge.
    package var lastProgress: UInt64
    /// The same question is asked again, since no answer came.
    var isRepeating = false
    /// How much of the offered snapshot it has.
    var pieces: UInt64 = 0
    /// What its disk can still take, as it last said in this term.
    var room: Room?
    /// What its memory can take, as it last said in this term; 0 for no limit.
    var memory: UInt64 = 0
    /// The highest read round it has answered.
    package var round: UInt64 = 0
    /// How far its wall clock is ahead of ours, in milliseconds.
    package var clockOffset: Int64?

    init(next: LogIndex, now: UInt64) {
        self.next = next
        lastHeard = now
        lastProgress = now
    }

    mutating func sent(last: LogIndex, bytes: Int, now: UInt64) {
        inFlight.append(Flight(last: last, bytes: bytes, sentAt: now))
        inFlightBytes += bytes
        next = last + 1
    }

    mutating func acknowledged(_ index: LogIndex) {
        match = max(match, index)
        while let first = inFlight.first, first.last <= index {
            inFlightBytes -= first.bytes
            inFlight.removeFirst()
        }
        next = max(next, match + 1)
    }

    /// An answer came: was it of use?
    mutating func noteProgress(before: LogIndex, last: LogIndex, now: UInt64) {
        if match > before || match == last {
            lastProgress = now
            isRepeating = false
        }
    }

    /// Forgets what was under way: it may have been lost.
    mutating func startProbing(from index: LogIndex) {
        precondition(index > match, "nothing before \(match) needs to be sent again")
        mode = .probing(sentAt: nil)
        isRepeating = false
        next = index
        inFlight.removeAll()
        inFlightBytes = 0
    }
}
