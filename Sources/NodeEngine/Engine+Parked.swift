import Consensus
import Jobboard
import WireFormat

// Requests that wait at this node: claims (at the leader), waits and watches.
extension Engine {
    var parkedCount: Int { parkedClaims.count + parkedWaits.count + watches.count }
    var parkedBytes: Int { parkedClaims.byteCount + parkedWaits.byteCount + watches.byteCount }

    mutating func tooManyParked(_ client: ClientReference, bytes: Int, _ effects: inout [EngineEffect]) -> Bool {
        let isFull = parkedCount >= settings.parkedRequests
        guard isFull || parkedBytes + bytes > settings.parkedBytes else { return false }
        let error = JobboardError(.overloaded, "too many requests wait at this node")
        refuse(client, error, over: isFull ? .parkedRequests : .parkedBytes, &effects)
        return true
    }

    /// Why nothing can wait for a board of this name.
    func refusal(ofBoard name: String?) -> JobboardError? {
        guard let name, name.utf8.count > settings.limits.boardNameBytes else { return nil }
        return JobboardError(.invalidArgument, "a board's name has at most \(settings.limits.boardNameBytes) bytes")
    }

    // MARK: Claims

    /// `overtaken`: something is ready that claims under way may take.
    mutating func park(_ write: Write, _ want: ClaimNext, overtaken: Bool, _ effects: inout [EngineEffect]) {
        // A job claimed for a client that has gone would be nobody's until its lease ends.
        guard connections.contains(write.client.connection) else { return }
        // A second one under the same number is the same request once more, or a mistake of the client's: one answer comes.
        guard !parkedClaims.contains(write.client) else { return }
        guard !tooManyParked(write.client, bytes: ParkedClaims.bytes(of: want), &effects) else { return }
        parkedClaims.park(write, want, overtaken: overtaken)
    }

    /// Offers what has become claimable to parked claims: first come, first served, as far as it goes.
    mutating func serveParkedClaims(_ effects: inout [EngineEffect]) {
        guard parkedClaims.hasBoardsToServe, replica.termIsOpen, acceptsWrites else { return }
        // Passing over claims of closed connections takes time too; while there are some, another turn follows.
        while turn.answers > 0 || !parkedClaims.hasAbandoned,
            waiting.hasRoom(for: settings.largestParkedClaim, limit: settings.waitingLimit),
            let board = parkedClaims.nextBoardToServe()
        {
            serveParkedClaims(on: board, &effects)
        }
    }

    private mutating func serveParkedClaims(on board: String, _ effects: inout [EngineEffect]) {
        var underWay = claimsUnderWay[board, default: 0]
        while state.machine.claimableCount(board: board) > underWay {
            guard waiting.hasRoom(for: settings.largestParkedClaim, limit: settings.waitingLimit) else {
                return parkedClaims.serveLater(board)
            }
            guard let write = parkedClaims.nextServable(on: board, in: state.machine) else { return }
            guard connections.contains(write.client.connection) else {
                turn.answers -= 1
                if turn.answers > 0 { continue }
                return parkedClaims.serveLater(board)
            }
            takeWrite(write, waited: true, &effects)
            let now = claimsUnderWay[board, default: 0]
            // It may have been answered without being proposed: then the job is still there for the next claim.
            if now > underWay { parkedClaims.isUnderWay(write.client, on: board) }
            underWay = now
        }
    }

    // MARK: Waits

    /// Answers a wait that is over already, or parks it.
    mutating func park(
        _ kind: ParkedWaits.Kind, deadline: UInt64, _ client: ClientReference, _ effects: inout [EngineEffect]
    ) {
        if let response = response(to: kind) { return effects.append(.reply(client, response)) }
        guard connections.contains(client.connection) else { return }
        guard !tooManyParked(client, bytes: ParkedWaits.bytes(of: kind), &effects) else { return }
        parkedWaits.park(kind, client, deadline: deadline)
    }

    private func response(to wait: ParkedWaits.Kind) -> Response? {
        switch wait {
        case .claimable(let board):
            return state.machine.claimableCount(board: board) > 0 ? .ready(true) : nil
        case .end(let id):
            guard let job = state.machine.job(id) else { return .failed(Self.noJob(id)) }
            return job.state == .complete || job.state == .trashed ? .job(job) : nil
        }
    }

    /// What an applied entry changed, for those that wait for it.
    mutating func wakeParked(_ events: [Event], _ effects: inout [EngineEffect]) {
        if !parkedWaits.isEmpty {
            for event in events where event.kind == .consumed || event.kind == .trashed { parkedWaits.wake(.end(event.job)) }
        }
        if state.machine.hasNewlyReady, !parkedWaits.isEmpty || !parkedClaims.isEmpty {
            var last: String?
            for job in state.machine.newlyReady {
                parkedClaims.jobIsReady(job, in: state.machine)
                if job.board != last { parkedWaits.wake(.claimable(job.board)) }
                last = job.board
            }
        }
        answerWaits(&effects)
        serveParkedClaims(&effects)
    }

    /// Answers those whose wait is over, as many as the turn may.
    mutating func answerWaits(_ effects: inout [EngineEffect]) {
        while turn.answers > 0, turn.bytes > 0, let kind = parkedWaits.firstDue {
            guard let response = response(to: kind) else {
                parkedWaits.dropFirstDue()
                continue
            }
            guard let client = parkedWaits.popFirstDue() else { continue }
            turn.answers -= 1
            guard connections.contains(client.connection) else { continue }
            turn.bytes -= response.byteCount
            effects.append(.reply(client, response))
        }
    }

    // MARK: Time

    /// Ends what has waited long enough, as much as the turn may.
    mutating func expireParked(_ effects: inout [EngineEffect]) {
        while turn.answers > 0, parkedClaims.hasExpired(at: now.monotonic) {
            guard let write = parkedClaims.popExpired(at: now.monotonic) else { break }
            turn.answers -= 1
            if connections.contains(write.client.connection) { endWait(of: write, &effects) }
        }
        while turn.answers > 0, parkedWaits.hasExpired(at: now.monotonic) {
            guard let (client, kind) = parkedWaits.popExpired(at: now.monotonic) else { break }
            turn.answers -= 1
            if connections.contains(client.connection) { effects.append(.reply(client, lastWord(on: kind))) }
        }
    }

    /// Time is up. Claims under way may be about to take all there is, or less than they asked for, and a copy of this one
    /// may have got something: what is still there is claimed after them, and only where nothing is there the answer is
    /// nothing.
    private mutating func endWait(of write: Write, _ effects: inout [EngineEffect]) {
        var last = write
        last.waits = false
        takeWrite(last, waited: true, &effects)
    }

    private func lastWord(on wait: ParkedWaits.Kind) -> Response {
        switch wait {
        case .claimable(let board): .ready(state.machine.claimableCount(board: board) > 0)
        case .end(let id): state.machine.job(id).map { .job($0) } ?? .failed(Self.noJob(id))
        }
    }

    // MARK: Leaving

    /// A parked claim is answered, so that its client knows that it got nothing; watches and waits just end.
    mutating func cancel(_ client: ClientReference, _ effects: inout [EngineEffect]) {
        if watches.cancel(client) || parkedWaits.cancel(client) { return }
        guard let write = parkedClaims.cancel(client) ?? heldClaims.remove(client) else {
            // It is still on its way: a claim through the log, or anything through a read round.
            reads.cancel(client)
            early.cancel(client)
            claimCopies.cancel(client)
            return
        }
        switch claimCopies.join(write, limit: settings.claimCopies) {
        case .joined: return
        case .tooMany: return refuse(client, Self.tooManyCopies, over: .claimCopies, &effects)
        case .noCopy: break
        }
        let outcome = state.machine.answeredBefore(write.call)
        if outcome == nil { remember(.claimed([]), of: write.call) }
        effects.append(.reply(client, .outcome(outcome ?? .claimed([]))))
    }

    var hasAbandonedParked: Bool { parkedClaims.hasAbandoned || parkedWaits.hasAbandoned || watches.hasAbandoned }

    /// Removes what closed connections had parked, with half of what the turn may do: others go on being answered.
    mutating func removeAbandonedParked() {
        guard hasAbandonedParked else { return }
        let half = max(1, turn.answers / 2)
        var left = half
        parkedClaims.removeAbandoned(&left)
        parkedWaits.removeAbandoned(&left)
        watches.removeAbandoned(&left)
        turn.answers -= half - left
    }

    mutating func forget(_ connection: UInt64) {
        connections.remove(connection)
        blocked.remove(connection)
        presented.forget(connection)
        watches.close(connection)
        parkedWaits.close(connection)
        parkedClaims.close(connection)
        reads.close(connection)
    }

    /// The client reads again: what was held back for it goes on.
    mutating func unblock(_ connection: UInt64) {
        guard blocked.remove(connection) != nil else { return }
        reads.unblocked(connection)
        watches.unblocked(connection)
    }
}
