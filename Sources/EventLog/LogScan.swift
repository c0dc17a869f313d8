package import Consensus

/// Frames that were being written when the node stopped. Nobody was told of them.
package struct TornTail: Sendable, Equatable {
    /// The file's name and where in it the cut lies.
    package var file: String
    package var offset: UInt64
    /// Frames seen beyond the cut, the torn one included; there may have been more.
    package var frames: Int
    /// Bytes from the cut to the end of the last frame seen.
    package var bytes: UInt64
}

/// Acknowledged bytes that can't be read any more.
package struct LogDamage: Sendable, Equatable, CustomStringConvertible {
    package var file: String
    /// The end of the last whole frame before it.
    package var offset: UInt64
    /// The first entry that may be lost.
    package var from: LogIndex
    /// The last entry that may be lost; nil when that can't be told.
    package var through: LogIndex?

    package var description: String {
        let entries =
            through.map { $0 < from ? "votes or a truncation, no entry" : "entries \(from) to \($0)" }
            ?? "entries from \(from) on"
        return "\(file) is damaged behind offset \(offset) (\(entries)); refusing to truncate what was acknowledged"
    }
}

/// What reading all segments in order gave.
struct LogScan {
    var state = LogState()
    /// Of the entries that `state` locates.
    var entries: [EntrySummary] = []
    /// Of all blocks that were read, before compression and after.
    var rawBytes: UInt64 = 0
    var storedBytes: UInt64 = 0
    /// Of the last frame.
    var sequence: UInt64 = 0
    var incarnation: UInt32 = 0
    /// The place in the list of segments of the one that holds the last frame.
    var tailSegment = 0
    /// Where in it the last frame ends.
    var end: UInt64 = 0
    /// Where in it the next batch goes: the first page behind the last frame.
    var tailOffset: UInt64 { roundUp(end, to: pageBytes) }
    var torn: TornTail?
    var damage: LogDamage?
}
