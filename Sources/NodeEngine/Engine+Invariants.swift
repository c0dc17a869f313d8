import Consensus
import DequeModule
import Jobboard

extension Engine {
    /// What must be true of one node between two turns. On everywhere: a look at each proposed block, and no more.
    package func checkInvariants() {
        precondition(!isDriving && !reads.hasGathered, "a turn leaves nothing half done")
        precondition(waiting.byteCount <= settings.waitingLimit, "too many bytes wait to be proposed")
        precondition(
            proposedBytes <= settings.waitingLimit + settings.batchBytes + settings.largestCommand,
            "too many bytes are proposed and not committed")
        precondition(
            early.count <= settings.earlyWrites && early.byteCount <= settings.waitingLimit,
            "too many writes wait for the term to open")
        precondition(
            reads.count <= settings.pendingReads && reads.byteCount <= settings.pendingReadBytes, "too many reads are under way")
        precondition(claimCopies.copyCount <= settings.claimCopies, "too many copies of claims wait for their outcome")
        precondition(UInt64(proposed.count) <= settings.uncommittedBlocks, "too many blocks are proposed and not committed")
        precondition(
            parkedCount <= settings.parkedRequests && parkedBytes <= settings.parkedBytes, "too many requests are parked")
        if !replica.isLeader {
            precondition(waiting.isEmpty && early.isEmpty && proposed.isEmpty, "only a leader has writes under way")
            precondition(parkedClaims.isEmpty && claimsUnderWay.isEmpty, "only a leader has claims under way")
        }
        var last = state.index
        for proposal in proposed {
            precondition(proposal.index > last && proposal.term == replica.term, "proposal \(proposal.index) comes too late")
            last = proposal.index
        }
        precondition(ledTerm == (replica.isLeader ? replica.term : 0), "term \(ledTerm) is led, and not term \(replica.term)")
        if !replica.isLeader { precondition(effectless.isEmpty && claimCopies.count == 0, "only a leader answers writes") }
        precondition(batchesDone <= waiting.begun, "more batches are done than were begun")
    }

    /// The same for what takes time with all that is under way: on in debug builds and in simulation.
    package func checkUnderWay() {
        var claims: [String: Int] = [:]
        for write in proposed.flatMap(\.writes) + waiting.writes {
            if let (board, count) = claimCount(write) { claims[board, default: 0] += count }
        }
        var identities: Set<RequestIdentity> = []
        for write in proposed.flatMap(\.writes) + waiting.writes {
            if case .claimNext = write.call.command { identities.insert(RequestIdentity(write.call)) }
        }
        precondition(identities == claimCopies.identities, "the claims under way differ from those whose copies wait")
        let growth = (proposed.flatMap(\.writes) + waiting.writes).reduce(0) { $0 + StateCost.growth(by: $1.call.command) }
        precondition(memory.underWay == UInt64(growth), "the memory under way differs from a recount")
        precondition(claims == claimsUnderWay, "the count of claims under way differs from a recount")
        let mayServe = replica.termIsOpen && acceptsWrites
        parkedClaims.checkInvariants(state.machine) { !mayServe || claims[$0] != nil }
        parkedWaits.checkInvariants()
        watches.checkInvariants(nextPosition: state.history.nextPosition)
        reads.checkInvariants(applied: state.index)
        claimCopies.checkInvariants()
        effectless.checkInvariants(limit: settings.effectlessAnswers)
        precondition(blocked.isSubset(of: connections), "a connection that is closed does not read")
    }
}
