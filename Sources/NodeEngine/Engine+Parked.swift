import Consensus
import DequeModule
import Jobboard
import OrderedCollections
import WireFormat

/// A claim of the next job that waits at the leader until there is one.
struct ParkedClaim: Sendable {
    var write: Write
}

/// Somebody who waits for the board, at any node.
struct ParkedWait: Sendable {
    enum Kind: Sendable {
        case claimable(String)
        case end(JobID)
    }

    var kind: Kind
    var deadline: UInt64
}

/// Somebody who hears every event.
struct Watcher: Sendable {
    var board: String?
}

extension Engine {
    var parkedCount: Int {
        parkedClaims.values.reduce(0) { $0 + $1.count } + parkedWaits.count + watchers.count
    }

    private func tooManyParked(_ client: ClientReference, _ effects: inout [EngineEffect]) -> Bool {
        guard parkedCount >= settings.parkedRequests else { return false }
        let error = JobboardError(.overloaded, "too many requests wait at this node")
        effects.append(.reply(client, .failed(error)))
        return true
    }

    // MARK: Claims

    mutating func park(_ write: Write, on board: String, _ effects: inout [EngineEffect]) {
        // A job claimed for somebody who has gone would be nobody's until its lease ends.
        guard connections.contains(write.client.connection) else { return }
        guard !tooManyParked(write.client, &effects) else { return }
        parkedClaims[board, default: []].append(ParkedClaim(write: write))
    }

    /// Something may have become claimable: first come, first served, as far as it goes.
    mutating func serveParkedClaims(_ effects: inout [EngineEffect]) {
        guard !parkedClaims.isEmpty, replica.termIsOpen else { return }
        for board in parkedClaims.keys {
            while let claim = nextServable(board) { takeWrite(claim.write, &effects) }
            if parkedClaims[board]?.isEmpty == true { parkedClaims[board] = nil }
        }
    }

    private mutating func nextServable(_ board: String) -> ParkedClaim? {
        let claimable = state.machine.claimableCount(board: board) - claimsUnderWay[board, default: 0]
        guard claimable > 0, let claims = parkedClaims[board] else { return nil }
        let servable = claims.firstIndex { claim in
            guard case .claimNext(let want) = claim.write.call.command else { return false }
            return state.machine.hasClaimable(want)
        }
        guard let servable else { return nil }
        return parkedClaims[board]?.remove(at: servable)
    }

    // MARK: Waits

    /// Answers a wait that is over already, or parks it.
    mutating func park(_ wait: ParkedWait, _ client: ClientReference, _ effects: inout [EngineEffect]) {
        if let response = response(to: wait.kind) { return effects.append(.reply(client, response)) }
        guard connections.contains(client.connection) else { return }
        guard !tooManyParked(client, &effects) else { return }
        parkedWaits[client] = wait
    }

    private func response(to wait: ParkedWait.Kind) -> Response? {
        switch wait {
        case .claimable(let board):
            return state.machine.claimableCount(board: board) > 0 ? .ready(true) : nil
        case .end(let id):
            guard let job = state.machine.job(id) else { return .failed(Self.noJob(id)) }
            return job.state == .complete || job.state == .trashed ? .job(job) : nil
        }
    }

    mutating func tellWaits(_ events: [Event], _ effects: inout [EngineEffect]) {
        guard !parkedWaits.isEmpty else { return }
        let over = parkedWaits.compactMap { client, wait in response(to: wait.kind).map { (client, $0) } }
        for (client, response) in over {
            parkedWaits[client] = nil
            effects.append(.reply(client, response))
        }
    }

    mutating func expireParked(_ effects: inout [EngineEffect]) {
        // Delays end and leases run out without an event of their own that would wake anybody.
        serveParkedClaims(&effects)
        tellWaits([], &effects)
        for board in parkedClaims.keys {
            let over = parkedClaims[board]!.filter { $0.write.deadline <= now.monotonic }
            guard !over.isEmpty else { continue }
            parkedClaims[board]!.removeAll { $0.write.deadline <= now.monotonic }
            for claim in over { endWait(of: claim.write, &effects) }
        }
        let over = parkedWaits.filter { $0.value.deadline <= now.monotonic }
        for (client, wait) in over {
            parkedWaits[client] = nil
            effects.append(.reply(client, lastWord(on: wait)))
        }
    }

    /// Time is up. Claims under way may be about to take all there is, or less than they asked for, and a copy of this one
    /// may have got something: what is still there is claimed after them, and only where nothing is there the answer is
    /// nothing.
    private mutating func endWait(of write: Write, _ effects: inout [EngineEffect]) {
        var last = write
        last.waits = false
        takeWrite(last, &effects)
    }

    private func lastWord(on wait: ParkedWait) -> Response {
        switch wait.kind {
        case .claimable: .ready(false)
        case .end(let id): state.machine.job(id).map { .job($0) } ?? .failed(Self.noJob(id))
        }
    }

    // MARK: Watches

    mutating func startWatch(
        _ board: String?, _ position: UInt64?, _ client: ClientReference, _ effects: inout [EngineEffect]
    ) {
        let next = state.history.nextPosition
        let from = position ?? next
        guard from <= next else {
            let error = JobboardError(.invalidArgument, "position \(from) is in the future; the next event has \(next)")
            return effects.append(.reply(client, .failed(error)))
        }
        guard let missed = state.history.events(from: from) else {
            let error = JobboardError(
                .compacted, "position \(from) is no longer kept; the oldest is \(state.history.oldest)")
            return effects.append(.reply(client, .failed(error)))
        }
        guard connections.contains(client.connection), !tooManyParked(client, &effects) else { return }
        let watcher = Watcher(board: board)
        watchers[client] = watcher
        effects.append(.reply(client, .watching(from: from)))
        tell(missed, to: watcher, client, &effects)
    }

    mutating func tellWatchers(_ events: [Event], _ effects: inout [EngineEffect]) {
        for (client, watcher) in watchers { tell(events, to: watcher, client, &effects) }
    }

    /// Events that travel in one frame, in bytes.
    private static let eventBytes = 256 << 10

    private func tell(_ events: [Event], to watcher: Watcher, _ client: ClientReference, _ effects: inout [EngineEffect]) {
        let wanted = watcher.board.map { board in events.filter { $0.board == board } } ?? events
        // A frame stays far below its limit.
        var rest = wanted[...]
        while !rest.isEmpty {
            var bytes = 0
            let fitting = rest.prefix { event in
                defer { bytes += event.byteCount }
                return bytes < Self.eventBytes
            }
            effects.append(.reply(client, .events(Array(fitting))))
            rest = rest.dropFirst(fitting.count)
        }
    }

    // MARK: Leaving

    /// A parked claim is answered, so that its client knows that it got nothing; watches and waits just end.
    mutating func cancel(_ client: ClientReference, _ effects: inout [EngineEffect]) {
        if watchers.removeValue(forKey: client) != nil || parkedWaits.removeValue(forKey: client) != nil { return }
        for board in parkedClaims.keys {
            guard let place = parkedClaims[board]?.firstIndex(where: { $0.write.client == client }) else { continue }
            guard let claim = parkedClaims[board]?.remove(at: place), !claimCopies.join(claim.write) else { return }
            let outcome = state.machine.answeredBefore(claim.write.call)
            if outcome == nil { emptyClaims.add(claim.write.call) }
            effects.append(.reply(client, .outcome(outcome ?? .claimed([]))))
            return
        }
        drop(client)
    }

    /// It is still on its way: a claim through the log, or anything through a read round.
    private mutating func drop(_ client: ClientReference) {
        gathered.removeAll { $0.client == client }
        for number in reads.keys { reads[number]?.removeAll { $0.client == client } }
        for place in behind.indices { behind[place].reads.removeAll { $0.client == client } }
        early.removeAll { $0.client == client }
        if waiting.contains(client) || proposed.contains(where: { $0.writes.contains { $0.client == client } }) {
            cancelled.insert(client)
        }
    }

    mutating func forget(_ connection: UInt64) {
        connections.remove(connection)
        watchers.removeAll { $0.key.connection == connection }
        parkedWaits.removeAll { $0.key.connection == connection }
        for board in parkedClaims.keys { parkedClaims[board]?.removeAll { $0.write.client.connection == connection } }
    }
}
