package import Consensus
package import Jobboard

/// What a client asks of a node. Each request carries a number that the client chose, unique among its open ones
/// on the connection; every response names it.
package enum Request: Sendable, Equatable {
    /// Changes something: goes through the log. `waitMilliseconds` is for `claimNext`: park this long for a job.
    case write(SessionCommand, waitMilliseconds: UInt32)
    /// `fresh`: linearizable; else whatever the asked node has.
    case read(Query, fresh: Bool)
    /// Until a claimable job is on the board. Answered with `.ready(true)`, or `.ready(false)` when the time is up.
    case waitForClaimable(board: String, milliseconds: UInt32)
    /// Until that job is COMPLETE or TRASHED, or as it is when the time is up. Answered with `.job`.
    case waitForEnd(job: JobID, milliseconds: UInt32)
    /// Every event from `position` on (nil: from now on), of one board or of all. Answered with `.watching`, then
    /// `.events` again and again under the same request number until `.cancel` or an error.
    case watch(board: String?, from: UInt64?)
    /// Ends the watch or wait with this request number; not answered itself.
    case cancel(UInt64)
}

/// A question that changes nothing.
package enum Query: Sendable, Equatable {
    case job(JobID)
    case owner(JobID)
    case jobs(JobsQuery)
    case count(board: String, state: JobState?)
    case status
}

/// What a node says to a client.
package enum Response: Sendable, Equatable {
    case outcome(Outcome)
    case job(Job)
    case owner(String?)
    case jobs(JobsPage)
    case count(UInt64)
    case status(NodeStatus)
    case ready(Bool)
    /// The watch stands: events from this position on will come.
    case watching(from: UInt64)
    case events([Event])
    case failed(JobboardError)
    /// Only the leader can do this. `leader`: its client address as "host:port", when known.
    case notLeader(leader: String?)
}

/// The first thing each side sends on a connection, so that strangers are told apart at once.
package struct ClientHello: Sendable, Equatable {
    /// The newest protocol version that the sender speaks.
    package var version: UInt16
    /// The cluster's name; empty from a client that does not care.
    package var cluster: String
    /// The node's id; 0 from a client.
    package var node: UInt64
    /// The client address of the leader as the node knows it, "host:port"; nil from a client.
    package var leader: String?

    package static let currentVersion: UInt16 = 1

    package init(version: UInt16 = ClientHello.currentVersion, cluster: String, node: UInt64, leader: String?) {
        self.version = version
        self.cluster = cluster
        self.node = node
        self.leader = leader
    }
}

/// How a node and its cluster stand.
package struct NodeStatus: Sendable, Equatable {
    package enum Role: UInt8, Sendable {
        case follower = 0
        case candidate = 1
        case leader = 2

        package var word: String {
            switch self {
            case .follower: "follower"
            case .candidate: "candidate"
            case .leader: "leader"
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
    /// A fingerprint of the board's whole state at `applied`; equal on all nodes that have applied the same.
    package var stateDigest: UInt64?

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
        self.stateDigest = nil
    }
}
