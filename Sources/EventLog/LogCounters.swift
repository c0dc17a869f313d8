/// What the log holds, and what it has done since it was opened.
package struct LogCounters: Sendable, Equatable {
    /// Times that the disk was asked to make a batch durable.
    package var syncs: UInt64 = 0
    /// Batches written, one disk write each.
    package var writes: UInt64 = 0
    package var frames: UInt64 = 0
    package var blocks: UInt64 = 0
    /// Payload bytes before compression, of what was found at the opening too.
    package var rawBytes: UInt64 = 0
    /// Bytes of blocks, headers included, of what was found at the opening too.
    package var storedBytes: UInt64 = 0
    /// Bytes taken in segments, with frames' prefixes and padding, of what was found at the opening too.
    package var diskBytes: UInt64 = 0

    package init() {}
}
