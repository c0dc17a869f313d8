import Consensus
import Jobboard
package import WireFormat

extension Engine {
    /// Takes a read in, or refuses it for want of room. `fresh`: this node's state must first be known to be recent enough.
    mutating func takeRead(_ kind: Read.Kind, _ client: ClientReference, fresh: Bool = true, _ effects: inout [EngineEffect]) {
        let read = Read(client: client, kind: kind)
        guard let budget = reads.add(read, fresh: fresh, settings.pendingReadLimits) else { return }
        let error = JobboardError(.overloaded, "too many reads are under way; try again in a moment")
        refuse(client, error, over: budget, &effects)
    }

    /// All reads of a turn share one question to the replica.
    mutating func startReads(_ effects: inout [EngineEffect]) {
        if let number = reads.startRound() { drive(.read(number), &effects) }
    }

    mutating func readIsReady(_ number: UInt64, _ index: LogIndex, _ effects: inout [EngineEffect]) {
        guard let ready = reads.endRound(number) else { return }
        guard state.index >= index else { return reads.waitForState(at: index, ready) }
        for read in ready { answer(read, &effects) }
    }

    mutating func answerReadsBehind(_ effects: inout [EngineEffect]) {
        for read in reads.repeatedReady(after: batchesDone) { answer(read, &effects) }
        guard reads.isBehind else { return }
        for read in reads.caughtUp(with: state.index) { answer(read, &effects) }
    }

    mutating func readFailed(_ number: UInt64, _ effects: inout [EngineEffect]) {
        for read in reads.endRound(number) ?? [] {
            guard reads.finish(read) else { continue }
            switch read.kind {
            case .settled, .repeated: refer(read.client, &effects)
            case .query, .park, .watch:
                let error = JobboardError(.unavailable, "no leader could confirm the read")
                effects.append(.reply(read.client, .failed(error)))
            }
        }
    }

    /// A read that was confirmed: small ones are answered at once while the turn has bytes left, others in their turn.
    private mutating func answer(_ read: Read, _ effects: inout [EngineEffect]) {
        guard connections.contains(read.client.connection) else { return _ = reads.finish(read) }
        if case .repeated(let settled) = read.kind, settled.after > batchesDone { return reads.waitForBatch(read) }
        let mustWait =
            read.kind.isLarge || !turn.mayAnswer || (read.kind.mayBeLong && blocked.contains(read.client.connection))
            || reads.answers.has(read.client.connection)
        if mustWait, reads.isOpen(read) { return reads.answerLater(read) }
        give(read, &effects)
    }

    /// Makes the answers that have waited, one connection after another, as far as the turn's budget goes.
    mutating func answerReads(_ effects: inout [EngineEffect]) {
        while turn.mayAnswer, let read = reads.nextAnswer(isBlocked: { [blocked] in blocked.contains($0) }) {
            give(read, &effects)
        }
    }

    private mutating func give(_ read: Read, _ effects: inout [EngineEffect]) {
        guard reads.finish(read) else { return }
        switch read.kind {
        case .query(.digest): askForDigest(read.client, &effects)
        case .query(let query):
            let response = response(to: query)
            turn.bytes -= response.byteCount
            turn.records -= records(for: query, response)
            effects.append(.reply(read.client, response))
        case .settled(let outcome):
            turn.bytes -= outcome.answerBytes
            effects.append(.reply(read.client, .outcome(outcome)))
        case .repeated(let settled):
            let outcome = lastWord(on: settled)
            turn.bytes -= outcome.answerBytes
            effects.append(.reply(read.client, .outcome(outcome)))
        case .park(let kind, let deadline): park(kind, deadline: deadline, read.client, &effects)
        case .watch(let board, let position): startWatch(board, position, read.client, &effects)
        }
    }

    /// How many jobs were looked at, at most.
    private func records(for query: Query, _ response: Response) -> Int {
        guard case .jobs(let wanted) = query, case .jobs(let page) = response else { return 1 }
        let takesAll = wanted.states.isEmpty && wanted.owner == nil && wanted.name == nil
        return takesAll ? page.jobs.count + 1 : settings.limits.pageScan
    }

    private func response(to query: Query) -> Response {
        switch query {
        case .job(let id):
            guard let job = state.machine.job(id) else { return .failed(Self.noJob(id)) }
            return .job(job)
        case .owner(let id):
            guard let job = state.machine.job(id) else { return .failed(Self.noJob(id)) }
            return .owner(job.owner)
        case .jobs(let query):
            do {
                return .jobs(try state.machine.jobs(query))
            } catch {
                return .failed(error)
            }
        case .count(let board, let wanted):
            return .count(UInt64(state.machine.count(board: board, state: wanted)))
        case .status:
            return .status(status)
        case .digest:
            preconditionFailure("a digest is computed elsewhere")
        }
    }

    static func noJob(_ id: JobID) -> JobboardError {
        JobboardError(.notFound, "no job \(id)")
    }

    /// How this node stands.
    package var status: NodeStatus {
        let role: NodeStatus.Role =
            switch replica.role {
            case .follower: .follower
            case .preCandidate, .candidate: .candidate
            case .leader: .leader
            }
        var status = NodeStatus(cluster: settings.cluster, node: replica.id.rawValue, role: role, term: replica.term)
        status.leader = replica.leader?.rawValue
        status.lastIndex = replica.log.lastIndex
        status.commit = replica.commit
        status.applied = state.index
        status.position = state.machine.lastPosition
        status.rawBytes = diskReport.rawBytes
        status.storedBytes = diskReport.storedBytes
        status.diskBytes = diskReport.diskBytes
        status.syncs = diskReport.syncs
        status.syncP99Microseconds = diskReport.syncP99Microseconds
        status.repair = diskReport.repair
        status.repair.mendedSnapshots += mendedSnapshots
        status.unclaimed = UInt64(state.machine.totals(state: .unclaimed))
        status.claimed = UInt64(state.machine.totals(state: .claimed))
        status.complete = UInt64(state.machine.totals(state: .complete))
        status.trashed = UInt64(state.machine.totals(state: .trashed))
        status.members = members
        (status.room, status.clusterRoom) = (replica.room, replica.clusterRoom)
        status.isShortOfMemory = memory.isShort
        status.budgets = budgetReadings
        if let snapshot = replica.snapshot { (status.snapshotIndex, status.snapshotDigest) = (snapshot.index, snapshot.digest) }
        return status
    }

    private var members: [NodeStatus.Member] {
        replica.configuration.voters.map { voter in
            let here = voter == replica.id
            return NodeStatus.Member(
                node: voter.rawValue, clientAddress: settings.clientAddresses[voter] ?? "",
                reachable: here || routes.isReachable(voter, now: now.monotonic),
                datagrams: here || routes.hearsDatagrams(from: voter, now: now.monotonic),
                durable: here ? replica.durableIndex : replica.knownDurable(at: voter))
        }
    }
}

extension Read.Kind {
    /// Its answer may be longer than a few hundred bytes.
    fileprivate var mayBeLong: Bool {
        switch self {
        case .query(.job), .query(.jobs): true
        case .settled(let outcome): outcome.answerBytes > 4096
        case .repeated: true
        case .query, .park, .watch: false
        }
    }
}

extension Response {
    /// About what it takes on a wire.
    var byteCount: Int {
        switch self {
        case .job(let job): job.answerBytes
        case .jobs(let page): page.jobs.reduce(64) { $0 + $1.answerBytes }
        case .outcome(let outcome): outcome.answerBytes
        case .status: 2048
        case .events(let events): events.reduce(64) { $0 + $1.byteCount }
        case .owner, .count, .ready, .watching, .failed, .notLeader, .otherTerm, .digest: 256
        }
    }
}
