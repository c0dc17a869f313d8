/// What can be injected into a run, and what can come of it. Each is counted.
package enum Sight: String, Sendable, CaseIterable {
    // Injected.
    case powerLosses = "power_losses"
    case blackouts
    case kills
    case tornWrites = "torn_writes"
    case tornSnapshots = "torn_snapshots"
    case recoveryCrashes = "recovery_crashes"
    case isolations
    case oneWayCuts = "one_way_cuts"
    case halves
    case bridges
    case datagramCuts = "datagram_cuts"
    case streamCuts = "stream_cuts"
    case deadStreams = "dead_streams"
    case datagramsLost = "datagrams_lost"
    case datagramsRepeated = "datagrams_repeated"
    case datagramsReplayed = "datagrams_replayed"
    case datagramsReordered = "datagrams_reordered"
    case slowNetworks = "slow_networks"
    case pauses
    case clockJumps = "clock_jumps"
    case skewedClocks = "skewed_clocks"
    case correctedClocks = "corrected_clocks"
    case driftingClocks = "drifting_clocks"
    case diskStalls = "disk_stalls"
    case slowDisks = "slow_disks"
    case slowSyncs = "slow_syncs"
    case writeErrors = "write_errors"
    case syncErrors = "sync_errors"
    case readErrors = "read_errors"
    case folderErrors = "folder_errors"
    case fullDisks = "full_disks"
    case scarcities
    case rottenBits = "rotten_bits"
    case rottenBytes = "rotten_bytes"
    case rottenSectors = "rotten_sectors"
    case rottenRanges = "rotten_ranges"
    case rottenSuperblocks = "rotten_superblocks"
    case sharedRot = "shared_rot"
    case sectorsLost = "sectors_lost"
    case sectorsGarbled = "sectors_garbled"
    case rottenSnapshots = "rotten_snapshots"
    case emptiedFolders = "emptied_folders"
    case namesLost = "names_lost"
    case repliesLost = "replies_lost"
    case requestsRepeated = "requests_repeated"
    case clientDeaths = "client_deaths"
    case watchesMoved = "watches_moved"
    case hostileRequests = "hostile_requests"
    case smallBudgets = "small_budgets"

    // Seen.
    case starts
    case elections
    case leadersDeposed = "leaders_deposed"
    case truncations
    case tornTails = "torn_tails"
    case fullDiskWaits = "full_disk_waits"
    case scarcityWaits = "scarcity_waits"
    case scarceStarts = "scarce_starts"
    case readOnlyRefusals = "read_only_refusals"
    case memoryShort = "memory_short"
    case handOvers = "hand_overs"
    case deadStreamsClosed = "dead_streams_closed"
    case rotRefused = "rot_refused"
    case rotReadBack = "rot_read_back"
    case backupsRestored = "backups_restored"
    case segmentRolls = "segment_rolls"
    case snapshotsTaken = "snapshots_taken"
    case snapshotInstalls = "snapshot_installs"
    case compactions
    case emptyLogs = "empty_logs"
    case beginnings
    case repairs
    case blocksRepaired = "blocks_repaired"
    case blocksCombined = "blocks_combined"
    case rotScrubbed = "rot_scrubbed"
    case snapshotRotFound = "snapshot_rot_found"
    case unnamedSnapshots = "unnamed_snapshots"
    case snapshotsMended = "snapshots_mended"
    case endsLearned = "ends_learned"
    case loadsFromDisk = "loads_from_disk"
    case appendConflicts = "append_conflicts"
    case followerReads = "follower_reads"
    case freshReads = "fresh_reads"
    case timeEntries = "time_entries"
    case leaseExpiries = "lease_expiries"
    case jobsTrashed = "jobs_trashed"
    case claimsLost = "trashed_for_lost_claims"
    case duplicatesAnswered = "duplicates_answered"
    case staleFencesRefused = "stale_fences_refused"
    case otherTerms = "other_terms"
    case lateCopiesSentBack = "late_copies_sent_back"
    case sessionsLost = "sessions_lost"
    case unknownOutcomes = "unknown_outcomes"
    case watchesResumed = "watches_resumed"
    case watchesCompacted = "watches_compacted"
    case eventsWatched = "events_watched"
    case workDeferred = "work_deferred"
    case requestsShed = "requests_shed"

    /// The first of those that are not injected.
    private static let firstSeen = Sight.starts

    package var isInjected: Bool { place < Self.firstSeen.place }

    private static let ofPeers: Set<Sight> = [
        .isolations, .oneWayCuts, .halves, .bridges, .datagramCuts, .streamCuts, .deadStreams, .deadStreamsClosed, .datagramsLost,
        .datagramsRepeated,
        .datagramsReplayed, .datagramsReordered, .leadersDeposed, .truncations, .loadsFromDisk, .rotReadBack, .appendConflicts,
        .followerReads, .snapshotInstalls, .emptiedFolders, .emptyLogs, .beginnings, .endsLearned, .unnamedSnapshots,
        .snapshotsMended, .repairs, .blocksRepaired, .handOvers, .sharedRot,
        .blocksCombined,
    ]

    /// A node with peers is refused only when both copies of its superblock and a segment have rotted: too rare to ask for.
    private static let ofOne: Set<Sight> = [.rotRefused, .backupsRestored]

    /// Whether clusters of so many nodes can be asked to meet it: some need peers, and some that there is none.
    package func canBeMet(nodes: Int) -> Bool { !(nodes > 1 ? Self.ofOne : Self.ofPeers).contains(self) }

    var place: Int { Self.places[self]! }
    private static let places = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}

/// How often each was met.
package struct Sights: Sendable, Equatable {
    private var counts = [UInt64](repeating: 0, count: Sight.allCases.count)

    package init() {}

    package subscript(_ sight: Sight) -> UInt64 { counts[sight.place] }

    package mutating func add(_ sight: Sight, _ count: Int = 1) {
        counts[sight.place] += UInt64(count)
    }

    package mutating func add(_ other: Sights) {
        for place in counts.indices { counts[place] += other.counts[place] }
    }
}

/// What a run came to.
package struct SimulationReport: Sendable, Equatable {
    package var seed: UInt64
    package var steps: UInt64 = 0
    /// Milliseconds of simulated time.
    package var simulatedMilliseconds: UInt64 = 0
    package var acknowledged = 0
    package var posted = 0
    package var consumed = 0
    package var committedEntries: UInt64 = 0
    /// Operations of clients that were put in order by the checker, and the jobs they were about.
    package var checkedOperations = 0
    package var checkedJobs = 0
    /// Milliseconds from the end of all faults until there was a leader with an open term, and until all had equal logs.
    package var leaderAfter: UInt64 = 0
    package var healedAfter: UInt64 = 0
    package var sights = Sights()
    /// Over everything that the nodes did, in order: equal seeds give equal hashes.
    package var hash: UInt64 = 0xcbf2_9ce4_8422_2325
}
