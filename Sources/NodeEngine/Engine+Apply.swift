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
            events = apply(entry, proposal, &effects)
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

    /// An entry of this node's own: whoever waits for an outcome gets it.
    private mutating func apply(_ entry: Entry, _ proposal: Proposal, _ effects: inout [EngineEffect]) -> [Event] {
        let writes = proposal.writes
        batchesDone += 1
        proposedBytes -= proposal.byteCount
        for place in writes.indices { memory.settled(writes[place].call.command) }
        // Mostly outcomes are answers and nothing else; only a claim of the next job may want more.
        if !Self.haveClaims(writes) {
            return state.apply(entry, count: writes.count, isChecked: true, call: { writes[$0].call }) { place, outcome in
                effects.append(.reply(writes[place].client, .outcome(outcome)))
            }
        }
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(writes.count)
        let events = state.apply(entry, count: writes.count, isChecked: true, call: { writes[$0].call }) { outcomes.append($1) }
        for write in writes {
            countClaims(of: write, by: -1)
            if parkedClaims.isInUse, let (board, _) = claimCount(write) { parkedClaims.cameOut(write.client, on: board) }
        }
        for (write, outcome) in zip(writes, outcomes) { settle(write, outcome, &effects) }
        return events
    }

    private static func haveClaims(_ writes: [Write]) -> Bool {
        for place in writes.indices {
            if case .claimNext = writes[place].call.command { return true }
        }
        return false
    }

    private mutating func takeProposal(for entry: Entry) -> Proposal? {
        guard let first = proposed.first, first.index <= entry.index else { return nil }
        precondition(first.index == entry.index && first.term == entry.term, "entry \(first.index) is not the one proposed")
        return proposed.removeFirst()
    }

    private mutating func settle(_ write: Write, _ outcome: Outcome, _ effects: inout [EngineEffect]) {
        guard case .claimNext(let want) = write.call.command else {
            return effects.append(.reply(write.client, .outcome(outcome)))
        }
        let (copies, wasCancelled) = claimCopies.remove(write)
        let isFirstByName = heldClaims.settled(want)
        if case .claimed(let jobs) = outcome, jobs.isEmpty {
            if isFirstByName, !wasCancelled {
                // On a board with many jobs it has only given the board an index: it is judged when that is built.
                takeWrite(write, &effects)
                for copy in copies { takeWrite(copy, &effects) }
                return
            }
            if write.waits, now.monotonic < write.deadline, !wasCancelled {
                // Others were faster; it goes on waiting.
                park(write, want, overtaken: false, &effects)
                for copy in copies { takeWrite(copy, &effects) }
                return
            }
            remember(outcome, of: write.call)
        }
        effects.append(.reply(write.client, .outcome(outcome)))
        for copy in copies { effects.append(.reply(copy.client, .outcome(outcome))) }
    }

    private mutating func takeEarlyWrites(_ effects: inout [EngineEffect]) {
        for write in early.removeAll() { takeWrite(write, &effects) }
    }

    /// What the entry changed goes to watches and to those that wait for a job to end or to come.
    private mutating func tell(_ events: [Event], _ effects: inout [EngineEffect]) {
        tellWatches(events, &effects)
        wakeParked(events, &effects)
    }
}
