import Consensus
import Jobboard
import WireFormat

/// Random values from a seed (SplitMix64), so that a failure comes back.
struct Dice: RandomNumberGenerator {
    private var seed: UInt64

    init(seed: UInt64) {
        self.seed = seed
    }

    mutating func next() -> UInt64 {
        seed &+= 0x9e37_79b9_7f4a_7c15
        var mixed = seed
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    mutating func coin() -> Bool { next() & 1 == 1 }
    /// Of every size in bits, so that each length of varint comes up.
    /// A term that elections could reach.
    mutating func term() -> UInt64 { number() >> 2 }

    mutating func number() -> UInt64 { next() >> UInt64(below(64)) }
    mutating func small() -> UInt32 { UInt32(truncatingIfNeeded: next() >> UInt64(32 + below(32))) }
    mutating func bytes(_ limit: Int = 40) -> [UInt8] { (0..<below(limit)).map { _ in UInt8(truncatingIfNeeded: next()) } }
    mutating func time() -> Timestamp {
        Timestamp(milliseconds: (coin() ? 1 : -1) * Int64(number() >> 1))
    }
    mutating func jobID() -> JobID { JobID(high: next(), low: next()) }
    mutating func priority() -> Priority { Priority.allCases[below(5)] }
    mutating func state() -> JobState { JobState.allCases[below(4)] }
    mutating func maybe<Value>(_ value: (inout Dice) -> Value) -> Value? { coin() ? value(&self) : nil }
    mutating func list<Value>(_ value: (inout Dice) -> Value) -> [Value] { (0..<below(4)).map { _ in value(&self) } }

    mutating func text() -> String {
        let alphabet: [Character] = ["a", "Z", "0", " ", "\"", "\\", "\n", "\u{0}", "é", "e\u{301}", "字", "😀", "\u{10ffff}"]
        return String((0..<below(coin() ? 4 : 200)).map { _ in alphabet[below(alphabet.count)] })
    }

    mutating func newJob() -> NewJob {
        var job = NewJob(id: jobID(), name: text(), details: bytes(300), priority: priority())
        job.book = maybe { Book(uuid: $0.jobID(), name: $0.text()) }
        job.key = maybe { $0.text() }
        job.notBefore = maybe { $0.time() }
        job.delayMilliseconds = maybe { $0.number() }
        job.expiresAfterMilliseconds = maybe { $0.number() }
        job.leaseMilliseconds = maybe { $0.small() }
        job.maxFailures = maybe { $0.small() }
        job.maxLostClaims = maybe { $0.small() }
        return job
    }

    mutating func job() -> Job {
        var job = Job(
            id: jobID(), board: text(), name: text(), details: bytes(300), priority: priority(), createdOn: time(),
            position: number(), state: state(), lastModified: time(), owner: maybe { $0.text() }, fence: maybe { $0.number() },
            leaseUntil: maybe { $0.time() }, claims: small(), failures: small())
        guard coin() else { return job }
        job.changeRare { values in
            values.book = maybe { Book(uuid: $0.jobID(), name: $0.text()) }
            values.key = maybe { $0.text() }
            values.notBefore = maybe { $0.time() }
            values.expiresOn = maybe { $0.time() }
            values.leaseMilliseconds = maybe { $0.small() }
            values.maxFailures = maybe { $0.small() }
            (values.lostClaims, values.maxLostClaims) = (small(), maybe { $0.small() })
            values.lastFailure = maybe { $0.text() }
            values.result = maybe { $0.bytes() }
        }
        return job
    }

    mutating func event() -> Event {
        Event(
            position: number(), kind: EventKind.allCases[below(12)], time: time(), board: text(), job: jobID(), name: text(),
            owner: maybe { $0.text() }, fence: maybe { $0.number() }, failure: maybe { $0.text() })
    }

    mutating func error() -> JobboardError {
        let effects: [JobboardError.Effect] = [.notApplied, .applied, .unknown]
        return JobboardError(
            .init(rawValue: text()), text(), outcome: effects[below(3)], owner: maybe { $0.text() })
    }

    private mutating func holder() -> Holder { Holder(job: jobID(), who: text(), fence: maybe { $0.number() }) }

    /// One of each kind.
    mutating func commands() -> [Command] {
        [
            .openSession(SessionKey(high: number(), low: number()), ttlMilliseconds: small()), .closeSession,
            .post(board: text(), jobs: list { $0.newJob() }),
            .claim(job: jobID(), who: text(), leaseMilliseconds: maybe { $0.small() }),
            .claimNext(
                ClaimNext(
                    board: text(), who: text(), count: small(), leaseMilliseconds: maybe { $0.small() },
                    priorities: Priorities(list { $0.priority() }), name: maybe { $0.text() })),
            .extend(holder(), leaseMilliseconds: maybe { $0.small() }),
            .abandon(holder(), delayMilliseconds: maybe { $0.number() }, failure: maybe { $0.text() }),
            .consume(holder(), result: maybe { $0.bytes() }, followUps: list { $0.newJob() }),
        ]
    }

    mutating func calls() -> [SessionCommand] {
        commands().map {
            SessionCommand(session: number(), sequence: number(), acknowledgedBelow: number(), command: $0)
        }
    }

    /// One of each kind, the writes with each kind of command.
    mutating func requests() -> [Request] {
        var query = JobsQuery(board: text(), states: JobStates(list { $0.state() }), limit: small())
        query.owner = maybe { $0.text() }
        query.name = maybe { $0.text() }
        query.cursor = maybe { JobsQuery.Cursor(priority: $0.priority(), position: $0.number()) }
        let queries: [Query] = [
            .job(jobID()), .owner(jobID()), .jobs(query), .count(board: text(), state: maybe { $0.state() }), .status, .digest,
        ]
        let session = Request.session(
            local: number(), SessionToken(high: number(), low: number()), ttlMilliseconds: small(), resumed: coin())
        return [session] + calls().map { .write($0, Sending(term: number(), isRepeated: coin(), waitMilliseconds: small())) }
            + queries.map { .read($0, fresh: coin()) } + [
                .waitForClaimable(board: text(), milliseconds: small()), .waitForEnd(job: jobID(), milliseconds: small()),
                .watch(board: maybe { $0.text() }, from: maybe { $0.number() }), .cancel(number()),
            ]
    }

    mutating func status() -> NodeStatus {
        let roles: [NodeStatus.Role] = [.follower, .candidate, .leader, .repairing]
        var status = NodeStatus(cluster: text(), node: number(), role: roles[below(4)], term: number())
        status.leader = maybe { $0.number() }
        if let digest = maybe({ Digest(high: $0.next(), low: $0.next()) }) {
            (status.snapshotIndex, status.snapshotDigest) = (number(), digest)
        }
        let numbers: [WritableKeyPath<NodeStatus, UInt64>] = [
            \.lastIndex, \.commit, \.applied, \.position, \.rawBytes, \.storedBytes, \.diskBytes, \.syncs,
            \.syncP99Microseconds, \.unclaimed, \.claimed, \.complete, \.trashed,
            \.repair.missingBlocks, \.repair.unobtainableBlocks, \.repair.mendedBlocks, \.repair.mendedSnapshots,
            \.repair.scrubbedBytes, \.repair.scrubRounds,
        ]
        for path in numbers { status[keyPath: path] = number() }
        status.repair.waitsFor = list { $0.number() }
        status.repair.reason = maybe { $0.text() }
        if below(4) == 0 { status.repair = RepairStatus() }
        (status.room, status.clusterRoom) = (Room.allCases[below(4)], Room.allCases[below(4)])
        status.members = list {
            NodeStatus.Member(
                node: $0.number(), clientAddress: $0.text(), reachable: $0.coin(), datagrams: $0.coin(), durable: $0.number())
        }
        status.budgets = list {
            BudgetReading(name: $0.text(), used: $0.number(), limit: $0.number(), refused: $0.number())
        }
        return status
    }

    /// One of each kind.
    mutating func responses() -> [Response] {
        let jobs = list { $0.job() }
        let outcomes: [Outcome] = [
            .sessionOpened(number()), .sessionClosed, .posted(jobs, duplicates: jobs.map { _ in coin() }),
            .claimed(list { $0.job() }), .changed(job()), .refused(error()),
        ]
        let page = JobsPage(
            jobs: list { $0.job() }, cursor: maybe { JobsQuery.Cursor(priority: $0.priority(), position: $0.number()) },
            position: number())
        return outcomes.map { .outcome($0) } + [
            .job(job()), .owner(maybe { $0.text() }), .jobs(page), .count(number()), .status(status()), .ready(coin()),
            .digest(index: number(), next()),
            .watching(from: number()), .events(list { $0.event() }), .failed(error()), .notLeader(leader: maybe { $0.text() }),
            .otherTerm(number()),
        ]
    }

    /// One of each kind.
    mutating func messages() -> [Message] {
        let entries = list { entry(ofBlock: $0.bytes()) }
        return [
            .preVote(PreVote(term: term(), lastIndex: number(), lastTerm: number())),
            .preVoteReply(PreVoteReply(term: term(), askedTerm: term(), granted: coin())),
            .vote(Vote(term: term(), lastIndex: number(), lastTerm: number())),
            .voteReply(VoteReply(term: term(), granted: coin(), wall: number())),
            .append(
                Append(
                    term: term(), previousIndex: number(), previousTerm: number(),
                    previousDigest: Digest(high: next(), low: next()), commit: number(), entries: entries)),
            .appendReply(AppendReply(term: term(), result: .durable(number()))),
            .appendReply(
                AppendReply(term: term(), result: .conflict(at: number(), hintIndex: number(), hintTerm: number()))),
            .heartbeat(Heartbeat(term: term(), round: number(), commit: number(), oldestWriteAge: small())),
            .heartbeatReply(HeartbeatReply(term: term(), round: number(), durable: number(), wall: number(), memory: number())),
            .readIndex(ReadIndex(term: term(), nonce: number())),
            .readIndexReply(ReadIndexReply(term: term(), nonce: number(), index: number())),
            .snapshotOffer(SnapshotOffer(term: term(), snapshot: snapshot())),
            .appendReply(AppendReply(term: term(), result: .installing(pieces: number()))),
            .heartbeatReply(
                HeartbeatReply(
                    term: term(), round: number(), durable: number(), wall: number(), room: coin() ? .reserve : .none)),
            .vote(Vote(term: term(), lastIndex: number(), lastTerm: number(), isHandOver: true)),
            .takeOver(TakeOver(term: term(), lastIndex: number())),
        ]
    }

    mutating func digest() -> Digest { Digest(high: next(), low: next()) }

    mutating func snapshot() -> SnapshotReference {
        let last = EntrySummary(
            kind: .snapshotMark, term: term(), index: number(), time: number(), nextCommand: number(), digest: digest(),
            byteCount: small())
        return SnapshotReference(last: last, digest: digest())
    }

    /// One of each kind.
    mutating func transfers() -> [Transfer] {
        [
            .askContents(maybe { $0.snapshot() }), .contents(snapshot(), table: bytes()),
            .askChunk(snapshot(), number: small()), .chunk(snapshot(), number: small(), stored: bytes()),
            .noSnapshot(maybe { $0.snapshot() }), .askBlock(index: number(), digest: digest()),
            .block(index: number(), digest: digest(), bytes: bytes()), .tookSnapshot(snapshot()),
            .noBlock(index: number(), digest: digest(), neverHad: coin()),
            .askCorruptBlock(index: number(), digest: digest()),
            .corruptBlock(index: number(), digest: digest(), maybe { BlockCopy(bytes: $0.bytes()) }),
            .corruptBlock(
                index: number(), digest: digest(), BlockCopy(bytes: [1, 2, 3, 4, 5], unreadable: [0..<1, 3..<5])),
            .askContentsAt(number()), .askStanding(life: small()),
            .standing(life: small(), term: term(), last: maybe { $0.snapshot().last }),
        ]
    }

    mutating func frames() -> [PeerFrame] {
        messages().map { PeerFrame(from: NodeID(number()), hearsDatagrams: coin(), message: $0) }
    }
}

/// Stands in for the log's block parser: an entry whose digest covers its bytes, so that equal entries have equal blocks.
func entry(ofBlock block: [UInt8]) -> Entry {
    let digest = block.reduce(UInt64(block.count)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return Entry(
        kind: .commands, term: 1, index: 1, time: 0, firstCommand: 0, commandCount: 0, parent: .zero,
        digest: Digest(high: digest, low: digest), block: block)
}
