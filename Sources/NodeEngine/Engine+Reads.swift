import Consensus
import Jobboard
import OrderedCollections
package import WireFormat

/// Something that must not be answered before this node knows that its state is recent enough.
struct Read: Sendable {
    enum Kind: Sendable {
        case query(Query)
        /// The answer is known; it only has to be confirmed that this node still leads.
        case settled(Outcome)
        case park(ParkedWait)
        case watch(board: String?, from: UInt64?)
    }

    var client: ClientReference
    var kind: Kind
}

extension Engine {
    /// All reads of a turn share one question to the replica.
    mutating func startReads(_ effects: inout [EngineEffect]) {
        guard !gathered.isEmpty else { return }
        let number = nextRead
        nextRead += 1
        reads[number] = gathered
        gathered = []
        drive(.read(number), &effects)
    }

    mutating func readIsReady(_ number: UInt64, _ index: LogIndex, _ effects: inout [EngineEffect]) {
        guard let ready = reads.removeValue(forKey: number) else { return }
        if state.index >= index {
            for read in ready { answer(read, &effects) }
        } else {
            behind.append((index, ready))
        }
    }

    mutating func answerReadsBehind(_ effects: inout [EngineEffect]) {
        guard !behind.isEmpty else { return }
        let ready = behind.filter { $0.index <= state.index }
        behind.removeAll { $0.index <= state.index }
        for group in ready {
            for read in group.reads { answer(read, &effects) }
        }
    }

    mutating func readFailed(_ number: UInt64, _ effects: inout [EngineEffect]) {
        guard let failed = reads.removeValue(forKey: number) else { return }
        for read in failed {
            if case .settled = read.kind {
                refer(read.client, &effects)
            } else {
                let error = JobboardError(.unavailable, "no leader could confirm the read")
                effects.append(.reply(read.client, .failed(error)))
            }
        }
    }

    private mutating func answer(_ read: Read, _ effects: inout [EngineEffect]) {
        switch read.kind {
        case .query(let query): answer(query, read.client, &effects)
        case .settled(let outcome): effects.append(.reply(read.client, .outcome(outcome)))
        case .park(let wait): park(wait, read.client, &effects)
        case .watch(let board, let position): startWatch(board, position, read.client, &effects)
        }
    }

    /// From the state as it is.
    func answer(_ query: Query, _ client: ClientReference, _ effects: inout [EngineEffect]) {
        effects.append(.reply(client, response(to: query)))
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
        status.budgets = budgetReadings
        // It reads every job, so it is left out where that would be felt.
        if status.unclaimed + status.claimed + status.trashed <= 20_000 { status.stateDigest = state.machine.fingerprint() }
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
