/// Times in milliseconds and limits of a replica.
package struct ReplicaSettings: Sendable, Equatable {
    /// The leader says that it is there this often.
    package var heartbeat: UInt64 = 50
    /// A follower that has heard no leader for this long, or up to twice as long, asks whether it should stand.
    package var electionTimeout: UInt64 = 500
    /// After the connection to the leader broke, followers ask one after another, this far apart.
    package var takeoverStep: UInt64 = 30
    /// Blocks sent to a follower and not yet acknowledged, at most.
    package var inFlightBlocks = 16
    /// The same in bytes.
    package var inFlightBytes = 4 << 20
    /// Bytes of entries in one append, at most (but always one entry).
    package var appendBytes = 1 << 20
    /// Bytes of applied entries kept in memory for followers that lag a little.
    package var cacheBytes = 32 << 20
    /// Reads waiting for a round, at most.
    package var waitingReads = 65_536
    /// Whether log time goes on where the wall clocks stand still or were set back. A search over all that can happen sets
    /// it to false: its clocks stand still, and stamps that depend on when things happen would make equal states differ.
    package var timePassesWithoutClocks = true

    /// What this node's memory can take, as a number that replicas report and compare and that only the engine understands; 0
    /// for no limit.
    package var memoryBytes: UInt64 = 0

    package init() {}
}
