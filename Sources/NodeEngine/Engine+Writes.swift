import Consensus
import DequeModule
import Jobboard
import OrderedCollections
import WireFormat

/// A write and who waits for it.
struct Write: Sendable {
    var client: ClientReference
    var call: SessionCommand
    /// A claim of the next job may be parked until then.
    var deadline: UInt64
    var waits: Bool
}

/// What the next block will hold.
struct Batch: Sendable {
    var writes: [Write] = []
    var payload = ByteWriter()

    var byteCount: Int { payload.bytes.count }
}

/// A block that this node proposed, and who waits for it.
struct Proposal: Sendable {
    var index: LogIndex
    var term: Term
    var writes: [Write]
}

extension Engine {
    mutating func takeWrite(_ write: Write, _ effects: inout [EngineEffect]) {
        guard replica.isLeader else { return refer(write.client, &effects) }
        guard replica.acceptsWrites else {
            let error = JobboardError(.unavailable, "the leader has lost touch with the majority")
            return effects.append(.reply(write.client, .failed(error)))
        }
        // Until the term's first entry is committed this state may lack what others acknowledged.
        guard replica.termIsOpen else { return takeEarly(write, &effects) }
        if case .claimNext(let want) = write.call.command, write.waits, isTaken(want) {
            if state.machine.validate(write.call.command) == nil { return park(write, on: want.board, &effects) }
        }
        // What would change nothing is answered like a read: it costs no log entry.
        if let outcome = state.machine.precheck(write.call) {
            return gathered.append(Read(client: write.client, kind: .settled(outcome)))
        }
        guard batch.byteCount < settings.waitingBytes else {
            let error = JobboardError(.overloaded, "too many writes are waiting; try again in a moment")
            return effects.append(.reply(write.client, .failed(error)))
        }
        addToBatch(write)
        if batch.byteCount >= settings.batchBytes || batch.writes.count >= settings.batchCommands { sealBatch(&effects) }
    }

    /// Keeps a write until the term's first entry is committed, within bounds.
    private mutating func takeEarly(_ write: Write, _ effects: inout [EngineEffect]) {
        guard early.count < settings.parkedRequests else {
            let error = JobboardError(.overloaded, "too many writes wait for the new leader; try again in a moment")
            return effects.append(.reply(write.client, .failed(error)))
        }
        early.append(write)
    }

    /// Nothing is left of what somebody wants: claims under way will take all of it.
    private func isTaken(_ want: ClaimNext) -> Bool {
        state.machine.claimableCount(board: want.board) <= claimsUnderWay[want.board, default: 0]
            || !state.machine.hasClaimable(want)
    }

    func refer(_ client: ClientReference, _ effects: inout [EngineEffect]) {
        effects.append(.reply(client, .notLeader(leader: leaderAddress)))
    }

    private mutating func addToBatch(_ write: Write) {
        CommandCodec.append(write.call, to: &batch.payload)
        batch.writes.append(write)
        countClaims(of: write, by: 1)
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

    /// The disk is free, or the block is full: what has gathered becomes one entry.
    mutating func sealBatch(_ effects: inout [EngineEffect]) {
        // While the replica's outputs are being done, a new one would come between them; the turn's end seals.
        guard !isDriving, !batch.writes.isEmpty, replica.isLeader else { return }
        let full = batch.byteCount >= settings.batchBytes || batch.writes.count >= settings.batchCommands
        guard replica.diskIsIdle || full, replica.log.lastIndex - replica.commit < settings.uncommittedBlocks else { return }
        let writes = batch.writes
        let payload = batch.payload.bytes
        batch = Batch()
        proposed.append(Proposal(index: replica.log.lastIndex + 1, term: replica.term, writes: writes))
        drive(.propose(kind: .commands, payload: payload, commandCount: UInt32(writes.count)), &effects)
    }

    /// With nothing to log, the time is logged alone once a deadline has passed.
    mutating func proposeTickWhenDue(_ effects: inout [EngineEffect]) {
        guard replica.termIsOpen, replica.acceptsWrites, replica.diskIsIdle, batch.writes.isEmpty,
            state.index == replica.log.lastIndex, let deadline = state.machine.nextDeadline,
            deadline.milliseconds <= Int64(clamping: replica.stamp())
        else { return }
        drive(.propose(kind: .tick, payload: [], commandCount: 0), &effects)
    }

    /// Another leads, or nobody: what was not proposed goes to the leader, what was is for its retry to find out.
    mutating func loseLeadership(_ effects: inout [EngineEffect]) {
        for write in batch.writes + early { refer(write.client, &effects) }
        batch = Batch()
        early = []
        let unknown = JobboardError(
            .unavailable, "the leader changed before this was decided; a retry in the session tells", outcome: .unknown)
        for proposal in proposed {
            for write in proposal.writes { effects.append(.reply(write.client, .failed(unknown))) }
        }
        proposed = []
        claimsUnderWay = [:]
        for claims in parkedClaims.values {
            for claim in claims { refer(claim.write.client, &effects) }
        }
        parkedClaims = [:]
    }
}
