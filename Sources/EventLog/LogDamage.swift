package import Consensus

/// Acknowledged bytes that can't be read any more.
package struct LogDamage: Sendable, Equatable, CustomStringConvertible {
    /// Where frames can't be read.
    package struct Place: Sendable, Equatable {
        package var file: String
        /// The end of the last whole frame before it.
        package var offset: UInt64
        /// How many frames are missing there.
        package var frames: UInt64
    }

    /// The first place, where it is known.
    package var place: Place?
    /// The entries that are missing, in order.
    package var entries: [ClosedRange<LogIndex>]
    /// More entries behind the last one are lost, from here on.
    package var lostFrom: LogIndex?
    package var isHardStateLost: Bool

    /// The first entry that is lost; nil when none is, only votes.
    package var from: LogIndex? { entries.first?.lowerBound ?? lostFrom }

    package var description: String {
        let lost = whatIsLost.joined(separator: ", ")
        guard let place else { return "the log lacks what was acknowledged (\(lost))" }
        return "\(place.file) is damaged behind offset \(place.offset) (\(lost)); refusing to truncate what was acknowledged"
    }

    private var whatIsLost: [String] {
        var lost = entries.map { $0.count == 1 ? "entry \($0.lowerBound)" : "entries \($0.lowerBound) to \($0.upperBound)" }
        if let lostFrom { lost.append("entries from \(lostFrom) on") }
        if isHardStateLost { lost.append("votes") }
        return lost
    }
}
