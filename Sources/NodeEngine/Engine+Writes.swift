import Consensus
import DequeModule
import Jobboard
import WireFormat

/// A write and who waits for it.
struct Write: Sendable {
    var client: ClientReference
    var call: SessionCommand
    /// A claim of the next job may be parked until then.
    var deadline: UInt64
    var waits: Bool
    /// An earlier copy of it may be under way.
    var isRepeated = false
    /// The session of `call` is its number in the cluster; before, it is that of the connection.
    var isIdentified = false
    /// Opens a session only if it is there.
    var resumes = false
}

/// What one block will hold.
struct Batch: Sendable {
    var writes: [Write] = []
    var payload = ByteWriter()

    var byteCount: Int { payload.bytes.count }
}

/// Writes that wait to be proposed, a block's worth each; all but the last are full.
struct BatchQueue: Sendable {
    private var batches: Deque<Batch> = []
    private(set) var byteCount = 0
    /// Since the node started.
    private(set) var begun: UInt64 = 0

    var isEmpty: Bool { batches.isEmpty }
    var hasFull: Bool { batches.count > 1 }
    var writes: [Write] { batches.flatMap(\.writes) }

    /// Adds a command, unless all would be more than `limit` bytes then.
    mutating func add(_ write: Write, limit: Int, isFull: (Batch) -> Bool) -> Bool {
        if batches.last.map(isFull) ?? true {
            batches.append(Batch())
            begun += 1
        }
        let last = batches.count - 1
        let before = batches[last].byteCount
        CommandCodec.append(write.call, to: &batches[last].payload)
        let added = batches[last].byteCount - before
        guard byteCount + added <= limit else {
            batches[last].payload.removeLast(added)
            if batches[last].writes.isEmpty {
                batches.removeLast()
                begun -= 1
            }
            return false
        }
        batches[last].writes.append(write)
        byteCount += added
        return true
    }

    func hasRoom(for bytes: Int, limit: Int) -> Bool { byteCount + bytes <= limit }

    mutating func popFirst() -> Batch? {
        guard let first = batches.popFirst() else { return nil }
        byteCount -= first.byteCount
        return first
    }

    mutating func removeAll() -> [Write] {
        let writes = self.writes
        batches = []
        byteCount = 0
        return writes
    }
}

/// A block that this node proposed, and who waits for it.
struct Proposal: Sendable {
    var index: LogIndex
    var term: Term
    var writes: [Write]
    var byteCount: Int
}

extension Engine {
    /// `waited`: it was taken before, and has waited here since as a claim for a job.
    mutating func takeWrite(_ write: consuming Write, waited: Bool = false, _ effects: inout [EngineEffect]) {
        guard leads else { return refer(write.client, &effects) }
        guard acceptsWrites else {
            let error = JobboardError(.unavailable, "the leader has lost touch with the majority")
            return effects.append(.reply(write.client, .failed(error)))
        }
        // Until the term's first entry is committed this state may lack what others acknowledged.
        guard termIsOpen else { return addEarly(write, &effects) }
        if !write.isIdentified, let refusal = identify(&write) {
            return takeRead(.settled(.refused(refusal)), write.client, &effects)
        }
        if case .claimNext(let want) = write.call.command, takeClaim(write, want, waited: waited, &effects) { return }
        if refusesForRoom(write, waited: waited, &effects) { return }
        // What would change nothing is answered like a read: it costs no log entry.
        if let outcome = state.machine.precheck(write.call) { return answerWithoutEffect(write, outcome, &effects) }
        if answeredWithoutEffect(write, waited: waited, &effects) { return }
        // What is rarely so is asked first: the call of `refusal` copies the whole engine, nearly 3 KB.
        if clusterRoom.isShort, let refusal = refusal(of: write.call.command) {
            return answerWithoutEffect(write, .refused(refusal), &effects)
        }
        if let refusal = memory.refusal(of: write.call.command) {
            refusals[.memory, default: 0] += 1
            return answerWithoutEffect(write, .refused(refusal), &effects)
        }
        // Of the settings these alone: all of them would be copied, for each write.
        let (bytes, commands, limit) = (settings.batchBytes, settings.batchCommands, settings.waitingLimit)
        guard waiting.add(write, limit: limit, isFull: { $0.byteCount >= bytes || $0.writes.count >= commands }) else {
            memory.settled(write.call.command)
            return refuse(write.client, Self.tooManyWaiting, over: .waitingBytes, &effects)
        }
        if case .claimNext(let want) = write.call.command {
            claimCopies.add(write)
            heldClaims.proposed(want, in: state.machine)
        }
        countClaims(of: write, by: 1)
        if waiting.hasFull { sealBatches(&effects) }
    }

    /// What does not let a claim of the next job be judged like other commands; true when it is taken care of: it shares the
    /// answer of a copy that is under way, was answered before, or is parked.
    private mutating func takeClaim(
        _ write: Write, _ want: ClaimNext, waited: Bool, _ effects: inout [EngineEffect]
    ) -> Bool {
        switch claimCopies.join(write, limit: settings.claimCopies) {
        case .joined: return true
        case .tooMany:
            refuse(write.client, Self.tooManyCopies, over: .claimCopies, &effects)
            return true
        case .noCopy: break
        }
        if let outcome = state.machine.answeredBefore(write.call) {
            takeRead(.settled(outcome), write.client, &effects)
            return true
        }
        if answeredWithoutEffect(write, waited: waited, &effects) { return true }
        if holds(write, want, &effects) { return true }
        // The first claim by name of a board goes through the log even for nothing: that gives the board an index of names.
        // Under a session that has ended nothing is parked: it would be refused when there is a job for it.
        guard write.waits, !state.machine.needsNameIndex(want), state.machine.hasSession(write.call.session) else {
            return false
        }
        let (claimable, underWay) = (state.machine.claimableCount(board: want.board), claimsUnderWay[want.board, default: 0])
        guard claimable <= underWay || !state.machine.hasClaimable(want), state.machine.validate(write.call.command) == nil else {
            return false
        }
        park(write, want, overtaken: claimable > 0 && claimable <= underWay, &effects)
        return true
    }

    static let tooManyCopies = JobboardError(
        .overloaded, "too many copies of this claim wait for its outcome; try again in a moment", outcome: .unknown)

    /// Puts the cluster's number of the session in place of the connection's.
    private mutating func identify(_ write: inout Write) -> JobboardError? {
        write.isIdentified = true
        if case .openSession(let key, _) = write.call.command {
            guard write.resumes, state.machine.session(with: key) == nil else { return nil }
            return JobboardError(.sessionExpired, "that session is gone; open a new one")
        }
        let local = write.call.session
        let known = presented.number(of: local, on: write.client.connection)
        guard let number = known ?? presented.lookUp(local, on: write.client.connection, in: state.machine) else {
            return JobboardError(.sessionExpired, "session \(local) of this connection is gone, or was not presented")
        }
        write.call.session = number
        return nil
    }

    /// The client names a session: it is opened if it has to be.
    mutating func present(
        _ local: UInt64, _ token: SessionToken, ttlMilliseconds: UInt32, resumed: Bool, _ client: ClientReference,
        _ effects: inout [EngineEffect]
    ) {
        let key = settings.sessionKey(token)
        if let refusal = presented.present(
            key, as: local, on: client.connection, limit: settings.presentedSessions, in: state.machine)
        {
            return effects.append(.reply(client, .failed(refusal)))
        }
        let call = SessionCommand(
            session: 0, sequence: 0, acknowledgedBelow: 0, command: .openSession(key, ttlMilliseconds: ttlMilliseconds))
        takeWrite(Write(client: client, call: call, deadline: now.monotonic, waits: false, resumes: resumed), &effects)
    }

    /// As `replica.isLeader` and `replica.termIsOpen`, each call of which copies the replica, for every write.
    private var leads: Bool {
        if case .leader = replica.role { true } else { false }
    }

    private var termIsOpen: Bool {
        if case .leader(let leadership) = replica.role { replica.commit >= leadership.termStart } else { false }
    }

    private mutating func addEarly(_ write: Write, _ effects: inout [EngineEffect]) {
        guard !early.add(write, maxCount: settings.earlyWrites, maxBytes: settings.waitingLimit) else { return }
        let error = JobboardError(.overloaded, "the leader is new and has much to do; try again in a moment")
        refuse(write.client, error, over: .earlyWrites, &effects)
    }

    func refer(_ client: ClientReference, _ effects: inout [EngineEffect]) {
        effects.append(.reply(client, .notLeader(leader: leaderAddress)))
    }

    /// A write that is not addressed to this node's term.
    func sendBack(_ client: ClientReference, _ effects: inout [EngineEffect]) {
        guard ledTerm > 0 else { return refer(client, &effects) }
        effects.append(.reply(client, .otherTerm(ledTerm)))
    }

    func claimCount(_ write: Write) -> (board: String, count: Int)? {
        guard case .claimNext(let want) = write.call.command else { return nil }
        return (want.board, Int(want.count))
    }

    mutating func countClaims(of write: Write, by sign: Int) {
        guard let (board, count) = claimCount(write) else { return }
        claimsUnderWay[board, default: 0] += sign * count
        if claimsUnderWay[board] == 0 { claimsUnderWay[board] = nil }
    }

    /// The disk is free, or a block is full: what has gathered becomes an entry.
    mutating func sealBatches(_ effects: inout [EngineEffect]) {
        // While the replica's outputs are being done, a new one would come between them; the turn's end seals.
        guard !isDriving, replica.isLeader, !replica.isHandingOver else { return }
        while !waiting.isEmpty, waiting.hasFull || replica.diskIsIdle, hasRoom, let batch = waiting.popFirst() {
            proposedBytes += batch.byteCount
            proposed.append(
                Proposal(
                    index: replica.log.lastIndex + 1, term: replica.term, writes: batch.writes, byteCount: batch.byteCount))
            drive(
                .propose(kind: .commands, payload: batch.payload.bytes, commandCount: UInt32(batch.writes.count)), &effects)
        }
    }

    /// Whether another block may be on its way.
    private var hasRoom: Bool {
        replica.log.lastIndex - replica.commit < settings.uncommittedBlocks && proposedBytes < settings.waitingBytes
    }

    /// With nothing to log, the time is logged alone once a deadline has passed.
    mutating func proposeTickWhenDue(_ effects: inout [EngineEffect]) {
        guard replica.termIsOpen, acceptsWrites, !replica.isHandingOver, clusterRoom > .none, replica.diskIsIdle, waiting.isEmpty,
            state.index == replica.log.lastIndex, let deadline = state.machine.nextDeadline,
            deadline.milliseconds <= Int64(clamping: replica.stamp())
        else { return }
        drive(.propose(kind: .tick, payload: [], commandCount: 0), &effects)
    }

    /// Another leads, or nobody: what was not proposed goes to the leader, what was is for its retry to find out.
    mutating func loseLeadership(_ effects: inout [EngineEffect]) {
        for write in waiting.removeAll() + early.removeAll() {
            refer(write.client, &effects)
            for copy in claimCopies.remove(write).copies { refer(copy.client, &effects) }
        }
        let unknown = JobboardError(
            .unavailable, "the leader changed before this was decided; a retry in the session tells", outcome: .unknown)
        for proposal in proposed {
            for write in proposal.writes {
                effects.append(.reply(write.client, .failed(unknown)))
                guard case .claimNext = write.call.command else { continue }
                for copy in claimCopies.remove(write).copies { effects.append(.reply(copy.client, .failed(unknown))) }
            }
        }
        proposed = []
        proposedBytes = 0
        memory.nothingIsUnderWay()
        claimsUnderWay = [:]
        claimCopies.removeAll()
        effectless.removeAll()
        batchesDone = waiting.begun
        for read in reads.endRepeated() where reads.finish(read) { refer(read.client, &effects) }
        for write in heldClaims.removeAll() { refer(write.client, &effects) }
        for write in parkedClaims.removeAll() { refer(write.client, &effects) }
    }
}

extension Command {
    var opensSession: Bool {
        if case .openSession = self { true } else { false }
    }
}
