package import Consensus

/// How a node and its cluster stand.
package struct NodeStatus: Sendable, Equatable {
    package enum Role: UInt8, Sendable {
        case follower = 0
        case candidate = 1
        case leader = 2
        /// Its log is damaged: it takes part in nothing until its peers have made it whole.
        case repairing = 3

        package var word: String {
            switch self {
            case .follower: "follower"
            case .candidate: "candidate"
            case .leader: "leader"
            case .repairing: "repairing"
            }
        }
    }

    /// One member, as the asked node sees it.
    package struct Member: Sendable, Equatable {
        package var node: UInt64
        package var clientAddress: String
        /// Heard from lately.
        package var reachable: Bool
        /// Datagrams from it arrive.
        package var datagrams: Bool
        /// The leader's knowledge of how far its log is durable; 0 elsewhere.
        package var durable: LogIndex

        package init(node: UInt64, clientAddress: String, reachable: Bool, datagrams: Bool, durable: LogIndex) {
            self.node = node
            self.clientAddress = clientAddress
            self.reachable = reachable
            self.datagrams = datagrams
            self.durable = durable
        }
    }

    package var cluster: String
    package var node: UInt64
    package var role: Role
    package var leader: UInt64?
    package var term: Term
    package var lastIndex: LogIndex
    package var commit: LogIndex
    package var applied: LogIndex
    /// The position of the last event applied.
    package var position: UInt64
    /// Block bytes in the log before and after compression.
    package var rawBytes: UInt64
    package var storedBytes: UInt64
    /// Bytes that the log's files take, padding included.
    package var diskBytes: UInt64
    package var syncs: UInt64
    /// The 99th percentile of the last syncs, in microseconds.
    package var syncP99Microseconds: UInt64
    /// Jobs on all boards, by state.
    package var unclaimed: UInt64
    package var claimed: UInt64
    package var complete: UInt64
    package var trashed: UInt64
    package var members: [Member]
    /// What the node's own disk can still take.
    package var room: Room
    /// What the cluster's disks can, as the leader knows; ample elsewhere. Posts are refused while it is short.
    package var clusterRoom: Room
    /// The last entry in the node's newest snapshot; 0 without one.
    package var snapshotIndex: LogIndex
    /// The digest of that snapshot; equal on all nodes with a snapshot of this entry.
    package var snapshotDigest: Digest?
    /// As the leader it refuses posts, since the jobs take nearly all of the memory that the nodes have for them.
    package var isShortOfMemory = false
    package var repair: RepairStatus
    /// How much of its budgets is in use, in the table's order; only those that the node meters.
    package var budgets: [BudgetReading]

    /// As the leader it refuses posts.
    package var isReadOnly: Bool { clusterRoom.isShort || isShortOfMemory }

    package init(cluster: String, node: UInt64, role: Role, term: Term) {
        self.cluster = cluster
        self.node = node
        self.role = role
        self.leader = nil
        self.term = term
        self.lastIndex = 0
        self.commit = 0
        self.applied = 0
        self.position = 0
        self.rawBytes = 0
        self.storedBytes = 0
        self.diskBytes = 0
        self.syncs = 0
        self.syncP99Microseconds = 0
        self.unclaimed = 0
        self.claimed = 0
        self.complete = 0
        self.trashed = 0
        self.members = []
        self.room = .ample
        self.clusterRoom = .ample
        self.snapshotIndex = 0
        self.snapshotDigest = nil
        self.repair = RepairStatus()
        self.budgets = []
    }
}

/// What a node knows of damage to its own files; counts are since its process began.
package struct RepairStatus: Sendable, Equatable {
    /// Blocks of the log that are damaged here and not yet fetched from a peer.
    package var missingBlocks: UInt64 = 0
    /// Those of them that no other node of a repairing one can give as things are.
    package var unobtainableBlocks: UInt64 = 0
    /// Blocks of the log that were fetched: in place of rotten ones, or of all that an emptied folder lacked.
    package var mendedBlocks: UInt64 = 0
    /// Snapshots that were fetched: in place of rotten ones, or of a log that was missing.
    package var mendedSnapshots: UInt64 = 0
    /// Bytes of the log that were read again to look for rot.
    package var scrubbedBytes: UInt64 = 0
    /// How often the scrubber came to the end of the log, however short that is.
    package var scrubRounds: UInt64 = 0
    /// The nodes without whose answers a repairing node can't go on.
    package var waitsFor: [UInt64] = []
    /// Why a repairing node does not just start; nil of others.
    package var reason: String?

    package init() {}
}
