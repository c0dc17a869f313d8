package import Consensus
package import Jobboard
package import WireFormat

/// One open request of one client connection.
package struct ClientReference: Hashable, Sendable {
    package var connection: UInt64
    /// The number that the client gave it.
    package var request: UInt64

    package init(connection: UInt64, request: UInt64) {
        self.connection = connection
        self.request = request
    }
}

/// The two ways between nodes.
package enum PeerChannel: Sendable, Equatable {
    /// UDP: no queue, no order, may be lost.
    case datagram
    /// TCP: in order, or broken.
    case stream
}

/// Everything that can happen to a node.
package enum EngineInput: Sendable {
    /// Time passed; nothing else.
    case tick
    case request(ClientReference, Request)
    /// Comes before the first request of a connection.
    case connectionOpened(UInt64)
    case connectionClosed(UInt64)
    /// The client of this connection does not read its answers: no further large ones are made for it until
    /// `connectionWritable`.
    case connectionBlocked(UInt64)
    /// It reads again.
    case connectionWritable(UInt64)
    case peer(PeerFrame, via: PeerChannel)
    /// A stream to or from this peer broke.
    case peerStreamLost(NodeID)
    /// Every write up to this number is on stable storage.
    case persisted(upTo: UInt64)
    /// The answer to `.load`; empty when the entries could not be read.
    case loaded(for: NodeID, entries: [Entry])
    /// What the disk says of itself, for people to read.
    case diskReport(DiskReport)
    case transfer(from: NodeID, Transfer)
    /// The answer to `.takeSnapshot`: durable, or nil when it could not be written.
    case snapshotTaken(SnapshotReference?, storedBytes: UInt64)
    /// The answer to `.openSnapshot`: these of its `count` chunks are missing.
    case snapshotOpened(SnapshotReference, missing: [UInt32], count: Int)
    /// The answer to `.storeChunk`.
    case chunkStored(SnapshotReference, number: UInt32, isRight: Bool)
    /// The answer to `.finishSnapshot`: it is durable, and this is what it holds. Indirect, since a whole state would make
    /// every input as large as itself.
    indirect case snapshotReady(SnapshotReference, AppliedState, storedBytes: UInt64)
    /// The same where the state was not to be read.
    case snapshotMended(SnapshotReference)
    /// Our snapshot up to this entry has rotted; what it is, where that can still be read.
    case snapshotRotted(LogIndex, SnapshotReference?)
    /// The disk or the bytes don't let a snapshot be fetched.
    case snapshotFailed(SnapshotReference)
    /// These blocks of the log have rotted: all that are missing now.
    case blocksMissing([MissingBlock])
    /// The answer to `.combine`; a block that was made goes to the log at once, and `blocksMissing` says so too.
    case blockCombined(MissingBlock, succeeded: Bool)
    /// The answer to `.release`: the log holds the entries behind this one.
    case released(LogIndex)
    /// What the disk can still take, when that has changed.
    case room(Room)
    /// The answer to `.computeDigest`.
    case digestComputed(LogIndex, UInt64)
    /// The process is to end: if this node leads, another should.
    case leave
}

/// Everything that a node can want done.
package enum EngineEffect: Sendable {
    case reply(ClientReference, Response)
    case send(to: NodeID, PeerFrame, via: PeerChannel)
    case persist(LogWrite)
    case load(for: NodeID, from: LogIndex, maxBytes: Int)
    case notice(Notice)
    /// By stream.
    case transfer(to: NodeID, Transfer)
    /// Answer a peer's question about snapshots and blocks from the disk.
    case answer(to: NodeID, Transfer)
    /// Write this state as a snapshot, beside everything else; `snapshotTaken` answers. Indirect, as `snapshotReady` is.
    indirect case takeSnapshot(AppliedState, upTo: EntrySummary)
    /// Compute the fingerprint of this state's boards, beside everything else; `digestComputed` answers.
    indirect case computeDigest(AppliedState)
    /// Make ready to store the chunks that this table lists; `snapshotOpened` or `snapshotFailed` answers.
    case openSnapshot(SnapshotReference, table: [UInt8])
    case storeChunk(SnapshotReference, number: UInt32, [UInt8])
    /// A peer sent this block: if it is missing, take it; `blocksMissing` answers.
    case repair(block: [UInt8])
    /// No node has the block whole: combine these corrupt copies of it with the log's own, on a thread of its own, and take the
    /// block that comes of it; `blockCombined` answers.
    case combine(MissingBlock, [BlockCopy])
    /// All chunks are stored; `snapshotReady`, `snapshotMended` (when its state need not be read) or `snapshotFailed` answers.
    case finishSnapshot(SnapshotReference, readingState: Bool)
    /// The log is no longer needed up to here, nor are snapshots but for the newest two; `released` answers.
    case release(through: LogIndex)
    /// Something impossible was seen: stop, and say why.
    case halt(String)
}

/// What operators should read in the log.
package enum Notice: Sendable, Equatable {
    case leader(NodeID?, term: Term)
    /// Whether datagrams from and to this peer get through, when that changes.
    case datagrams(NodeID, from: Bool, to: Bool)
    case fetchesSnapshot(index: LogIndex, from: NodeID)
    case installedSnapshot(index: LogIndex)
    /// A snapshot of ours that had rotted is whole again.
    case snapshotMended(index: LogIndex)
    /// A snapshot of ours has rotted, and no other node has it.
    case snapshotLost(index: LogIndex)
    /// So many blocks of the log are missing now, and are asked for from peers.
    case blocksMissing(Int)
    /// Corrupt copies of a block that no node had whole were combined to the block, or were not enough.
    case blockCombined(index: LogIndex, succeeded: Bool)
    /// What this node's disk can still take.
    case room(Room)
    /// Whether this leader refuses posts, since the cluster's disks are short of room.
    case readOnly(Bool, cluster: Room)
    /// Log time is this many milliseconds ahead of what the nodes' clocks agree on.
    case logTimeAhead(milliseconds: UInt64)
    /// Whether this leader refuses posts, since the jobs take nearly all of the memory that the nodes have for them.
    case memoryIsShort(Bool, used: UInt64, limit: UInt64)
    /// Another node has another state at the same index, and it can't be told which is right.
    case snapshotsDiffer(NodeID, index: LogIndex)
}

/// How the log's files stand.
package struct DiskReport: Sendable, Equatable {
    package var rawBytes: UInt64 = 0
    package var storedBytes: UInt64 = 0
    package var diskBytes: UInt64 = 0
    package var syncs: UInt64 = 0
    package var syncP99Microseconds: UInt64 = 0
    package var repair = RepairStatus()

    package init() {}
}

/// Opens what the sealer closed: an entry's payload, checked; nil when it is damaged.
package struct Opener: Sendable {
    package let payload: @Sendable (Entry) -> [UInt8]?

    package init(_ payload: @escaping @Sendable (Entry) -> [UInt8]?) {
        self.payload = payload
    }
}

/// Names, limits and ways of one node.
package struct EngineSettings: Sendable {
    package var replica = ReplicaSettings()
    package var limits = BoardLimits()
    /// A block is sealed at this many bytes even while the disk is busy.
    package var batchBytes = 256 << 10
    /// The same in commands.
    package var batchCommands = 4096
    /// Blocks proposed and not yet committed, at most.
    package var uncommittedBlocks: UInt64 = 64
    /// Bytes of commands waiting to be proposed, at most; then `overloaded`. See `waitingLimit`.
    package var waitingBytes = Budget.waitingBytes.limit
    /// The largest command in the log's encoding: a request's frame holds nothing larger.
    package var largestCommand = Framing.maximumClientFrame
    /// Writes that came before a new leader's first entry was committed, at most; then `overloaded`.
    package var earlyWrites = Budget.earlyWrites.limit
    /// Copies of claims that wait for the outcome of the first one.
    package var claimCopies = Budget.claimCopies.limit
    /// Requests parked at this node (claims, waits, watches), at most; then `overloaded`.
    package var parkedRequests = Budget.parkedRequests.limit
    package var parkedBytes = Budget.parkedBytes.limit
    /// Reads from their arrival to their answer.
    package var pendingReads = Budget.pendingReads.limit
    package var pendingReadBytes = Budget.pendingReadBytes.limit
    /// Of those, listings.
    package var listingsPerConnection = Budget.listingsPerConnection.limit
    /// What a turn's answers may take; the rest is answered in the turns that follow.
    package var answerBytesPerTurn = Budget.answerBytesPerTurn.limit
    package var scannedRecordsPerTurn = Budget.scannedRecordsPerTurn.limit
    package var parkedAnswersPerTurn = Budget.parkedAnswersPerTurn.limit
    /// Requests that wait for a digest of the state.
    package var digestRequests = Budget.digestRequests.limit
    /// Claims kept back while an index of names is built, at most; then `overloaded`.
    package var heldClaims = Budget.heldClaims.limit
    /// Records that a turn looks at to build indexes of names.
    package var nameRecords = Budget.nameRecords.limit
    /// Candidates that are tried when corrupt copies of a block are combined.
    package var combinedCandidates = Budget.combinedCandidates.limit
    /// A snapshot is taken when the log has grown by so many bytes since the last one, or by as many as that one has.
    package var snapshotBytes: UInt64 = 64 << 20
    /// Events remembered so that a watch can resume.
    package var rememberedEvents = 100_000
    /// Requests of which a leader remembers that it answered them without an effect.
    package var effectlessAnswers = Budget.effectlessAnswers.limit
    /// Sessions that one connection may present, at most; then `overloaded`.
    package var presentedSessions = Budget.presentedSessions.limit
    /// A snapshot is refused whose state counts for more bytes.
    package var loadableBytes = UInt64.max
    /// The one-way hash of session tokens; all nodes of a cluster must have the same.
    package var sessionKey: @Sendable (SessionToken) -> SessionKey = { SessionKey(mixing: $0) }
    package var cluster: String
    /// "host:port" for clients, by node.
    package var clientAddresses: [NodeID: String]

    package init(cluster: String, clientAddresses: [NodeID: String]) {
        self.cluster = cluster
        self.clientAddresses = clientAddresses
    }
}

extension EngineSettings {
    /// What waits to be proposed may take this much: at least the largest command fits into an empty queue.
    var waitingLimit: Int { max(waitingBytes, largestCommand) }

    /// A claim that was parked passed the checks of its texts, so it is no larger than this.
    var largestParkedClaim: Int { min(limits.boardNameBytes + 2 * limits.nameBytes + 64, waitingLimit) }

    var pendingReadLimits: PendingReads.Limits {
        PendingReads.Limits(count: pendingReads, bytes: pendingReadBytes, largePerConnection: listingsPerConnection)
    }
}
