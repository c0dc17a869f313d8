package import Consensus
package import Jobboard

/// What a client asks of a node. Each request carries a number that the client chose, unique among its open ones
/// on the connection; every response names it.
package enum Request: Sendable, Equatable {
    /// Gives a session a number on this connection, `local`, under which its commands are sent from then on; the token proves
    /// that the session is the client's own. Answered with `.outcome(.sessionOpened)` and the session's number in the
    /// cluster. A session that there is not is opened, unless it is to be `resumed`: then it is refused as
    /// `session_expired`, since a session that was opened anew would not remember what was done under it.
    case session(local: UInt64, SessionToken, ttlMilliseconds: UInt32, resumed: Bool)
    /// Changes something: goes through the log. Its session is a number that was given on this connection.
    case write(SessionCommand, Sending)
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

/// What a client says of one copy of a write.
package struct Sending: Sendable, Equatable {
    /// The copy is addressed to the leader of this term, and no other leader takes it; 0 is nobody's term. See `AddressedTerm`.
    package var term: UInt64
    /// An earlier copy may still be on its way, or its answer was lost.
    package var isRepeated: Bool
    /// For `claimNext`: park this long for a job.
    package var waitMilliseconds: UInt32

    package init(term: UInt64, isRepeated: Bool = false, waitMilliseconds: UInt32 = 0) {
        self.term = term
        self.isRepeated = isRepeated
        self.waitMilliseconds = waitMilliseconds
    }
}

/// A question that changes nothing.
package enum Query: Sendable, Equatable {
    case job(JobID)
    case owner(JobID)
    case jobs(JobsQuery)
    case count(board: String, state: JobState?)
    case status
    /// The digest of all boards and sessions as the asked node has them, whether asked for fresh or not: it says what entry it
    /// is of. Reads every job, so a node computes one at a time and shares it between those that ask within a second.
    case digest
}

/// What a node says to a client.
package enum Response: Sendable, Equatable {
    case outcome(Outcome)
    case job(Job)
    case owner(String?)
    case jobs(JobsPage)
    case count(UInt64)
    /// Indirect, since it is rare and would make every answer nearly two thirds larger.
    indirect case status(NodeStatus)
    /// Equal on all nodes that have applied as many entries.
    case digest(index: LogIndex, UInt64)
    case ready(Bool)
    /// The watch stands: events from this position on will come.
    case watching(from: UInt64)
    case events([Event])
    case failed(JobboardError)
    /// Only the leader can do this. `leader`: its client address as "host:port", when known.
    case notLeader(leader: String?)
    /// This node leads, in the given term, and the write was addressed to another: this copy of it has no effect.
    case otherTerm(UInt64)
}

/// The first thing each side sends on a connection, so that strangers are told apart at once.
package struct ClientHello: Sendable, Equatable {
    /// The formats that the sender speaks.
    package var formats: FormatRange
    /// The cluster's name; empty from a client that takes any.
    package var cluster: String
    /// The node's id; 0 from a client.
    package var node: UInt64
    /// The client address of the leader as the node knows it, "host:port"; nil from a client.
    package var leader: String?
    /// The term that the node leads; 0 from one that does not, and from a client.
    package var term: UInt64
    package var extensions: [GreetingExtension]

    /// The formats that this version speaks.
    package static let formats = FormatRange(1, 1)

    package init(
        formats: FormatRange = ClientHello.formats, cluster: String, node: UInt64, leader: String?, term: UInt64 = 0,
        extensions: [GreetingExtension] = []
    ) {
        self.formats = formats
        self.cluster = cluster
        self.node = node
        self.leader = leader
        self.term = term
        self.extensions = extensions
    }
}
