import Consensus

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

/// What the files of a log add up to.
struct LogScan {
    var state = LogState()
    /// What is known of the entries from `state.base.index + 1` on; nil for one of which nothing or the name alone is.
    var summaries: [EntrySummary?] = []
    /// Nil when every block is there.
    var missing: MissingBlocks?
    /// Blocks at no index now, by digest, for when the chain turns out to lead to them.
    var others: [Digest: BlockLocation] = [:]
    /// Where blocks lie whose headers are whole and whose bodies are not.
    var corrupt: [Digest: BlockLocation] = [:]
    /// Of all blocks of the log, before compression and after.
    var rawBytes: UInt64 = 0
    var storedBytes: UInt64 = 0
    /// The number of frames that were read and count.
    var frames = 0
    /// Of the last frame that was written, whether it can be read or not.
    var sequence: UInt64 = 0
    var incarnation: UInt32 = 0
    /// The place in the list of segments of the one that holds the last frame.
    var tailSegment = 0
    /// Where in it the last frame ends.
    var end: UInt64 = 0
    /// Where in it the next batch goes: the first page behind the last frame.
    var tailOffset: UInt64 { roundUp(end, to: pageBytes) }
    /// The last frames were acknowledged and can't be read: nothing may be written over what is left of them.
    var isEndRotten = false
    /// Which entries they held isn't known.
    var isEndLost = false
    /// A hard state newer than `state.hardState` may have been acknowledged.
    var isHardStateLost = false
    var torn: TornTail?
    /// In words; nil when nothing is missing.
    var damage: LogDamage?
    /// Places that can't be read, for `log verify`: rot that cost nothing is here too.
    var rotten: [LogDamage.Place] = []
}
