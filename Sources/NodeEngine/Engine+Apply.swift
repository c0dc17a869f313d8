import Consensus
import DequeModule
import Jobboard
import WireFormat

extension Engine {
    /// Takes in what is committed, and tells everybody who waited for it.
    mutating func apply(through index: LogIndex, _ effects: inout [EngineEffect]) {
        while state.index < index {
            let next = state.index + 1
            guard let entry = replica.log.entry(at: next) else {
                return effects.append(.halt("entry \(next) is committed and not in memory"))
            }
            guard apply(entry, &effects) else { return }
        }
        var ignored: [ReplicaOutput] = []
        replica.step(.applied(index), at: now, into: &ignored)
        precondition(ignored.isEmpty, "to apply an entry asks for nothing")
        answerReadsBehind(&effects)
        if replica.termIsOpen, !early.isEmpty { takeEarlyWrites(&effects) }
    }

    private mutating func apply(_ entry: Entry, _ effects: inout [EngineEffect]) -> Bool {
        let proposal = takeProposal(for: entry)
        let events: [Event]
        if let proposal {
            let writes = proposal.writes
            var claims: [(place: Int, outcome: Outcome)] = []
            events = state.apply(entry, count: writes.count, call: { writes[$0].call }) { place, outcome in
                // Most commands are answered and that is all; only a claim of the next job may want more.
                if case .claimNext = writes[place].call.command {
                    claims.append((place, outcome))
                } else {
                    effects.append(.reply(writes[place].client, .outcome(outcome)))
                }
            }
            proposedBytes -= proposal.byteCount
            for claim in claims { countClaims(of: writes[claim.place], by: -1) }
            if !cancelled.isEmpty { forgetCancelled(writes) }
            for claim in claims { settleClaim(writes[claim.place], claim.outcome, &effects) }
        } else {
            do {
                events = try state.replay(entry, opener: opener)
            } catch {
                // Nothing of it was applied: an unknown command stops the node before it can part from the others.
                effects.append(.halt(error.description))
                return false
            }
        }
        countForSnapshots(entry, &effects)
        tell(events, &effects)
        return true
    }

    private mutating func takeProposal(for entry: Entry) -> Proposal? {
        guard let first = proposed.first, first.index <= entry.index else { return nil }
        precondition(first.index == entry.index && first.term == entry.term, "entry \(first.index) is not the one proposed")
        return proposed.removeFirst()
    }

    /// What is no claim of the next job has had its effect all the same.
    private mutating func forgetCancelled(_ writes: [Write]) {
        for write in writes {
            if case .claimNext = write.call.command { continue }
            cancelled.remove(write.client)
        }
    }

    private mutating func settleClaim(_ write: Write, _ outcome: Outcome, _ effects: inout [EngineEffect]) {
        let wasCancelled = cancelled.remove(write.client) != nil
        let copies = claimCopies.remove(write)
        if case .claimed(let jobs) = outcome, jobs.isEmpty, case .claimNext(let want) = write.call.command {
            if write.waits, now.monotonic < write.deadline, !wasCancelled {
                // Others were faster; it goes on waiting.
                park(write, on: want.board, &effects)
                for copy in copies { takeWrite(copy, &effects) }
                return
            }
            emptyClaims.add(write.call)
        }
        effects.append(.reply(write.client, .outcome(outcome)))
        for copy in copies { effects.append(.reply(copy.client, .outcome(outcome))) }
    }

    private mutating func takeEarlyWrites(_ effects: inout [EngineEffect]) {
        let writes = early
        early = []
        for write in writes { takeWrite(write, &effects) }
    }

    /// Events go to watchers and to those who wait for a job to end or to come.
    private mutating func tell(_ events: [Event], _ effects: inout [EngineEffect]) {
        guard !events.isEmpty else { return }
        tellWatchers(events, &effects)
        tellWaits(events, &effects)
        serveParkedClaims(&effects)
    }
}
