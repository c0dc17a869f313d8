/// Tells a sender's new datagrams from repeated ones, as IPsec does (RFC 4303, section 3.4.3).
struct ReplayWindow: Sendable {
    private static let width: UInt64 = 1024

    private var epoch: UInt64?
    private var highest: UInt64 = 0
    /// One bit for each of the last counters, the highest one's first.
    private var seen = [Bool](repeating: false, count: Int(width))

    /// Whether this counter of the sender's present epoch was not seen before; notes it.
    mutating func accept(epoch sender: UInt64, counter: UInt64) -> Bool {
        if sender != epoch {
            epoch = sender
            highest = 0
            seen = [Bool](repeating: false, count: Int(Self.width))
        }
        guard counter > 0 else { return false }
        if counter > highest {
            let fresh = min(counter - highest, Self.width)
            for step in 0..<fresh { seen[Int((counter - step) % Self.width)] = false }
            highest = counter
        } else if highest - counter >= Self.width {
            return false
        }
        let place = Int(counter % Self.width)
        guard !seen[place] else { return false }
        seen[place] = true
        return true
    }
}
