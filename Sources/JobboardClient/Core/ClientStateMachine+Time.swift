import DequeModule
import Jobboard
import WireFormat

extension ClientStateMachine {
    /// Does what is due. Being called too early or too often does no harm.
    package mutating func wakeUp(now: Moment, actions: inout Actions<Waiter>) {
        if earliestDeadline <= now { endOverdueCalls(now: now, actions: &actions) }
        switch state {
        case .idle, .connecting, .closed:
            break
        case .backingOff(let until) where until <= now:
            if calls.count == 0 { state = .idle } else { connect(actions: &actions) }
        case .greeting(let node, let until) where until <= now:
            leave(node, because: "\(node) does not greet", now: now, actions: &actions)
        case .ready(let node, let health):
            check(node, health, now: now, actions: &actions)
        case .backingOff, .greeting:
            break
        }
        pump(now: now, actions: &actions)
    }

    /// No new calls; open ones end with `closed`. Claims that must be given back get a moment for it.
    package mutating func close(now: Moment, actions: inout Actions<Waiter>) {
        guard closingUntil == nil else { return pump(now: now, actions: &actions) }
        closingUntil = now.adding(configuration.farewell)
        for number in calls.numbers(where: { $0.waiter != nil }) {
            let call = calls[number]
            if let waiter = call.waiter {
                actions.completions.append(.init(waiter: waiter, reply: .failed(Self.closedError(effect: call.effect))))
            }
            dismiss(number, now: now, actions: &actions)
        }
        pump(now: now, actions: &actions)
    }

    /// Ends for good once nothing is left to give back, or the time for it is up.
    mutating func closeWhenDone(now: Moment, actions: inout Actions<Waiter>) {
        guard let closingUntil, closingUntil <= now || calls.numbers(where: { !$0.isOpening }).isEmpty else { return }
        self.closingUntil = .never
        earliestDeadline = .never
        switch state {
        case .closed:
            return
        case .idle, .backingOff:
            break
        case .connecting, .greeting:
            actions.closes.append(connection)
        case .ready:
            for lane in lanes.indices { sayGoodbye(lane, actions: &actions) }
            actions.closes.append(connection)
        }
        state = .closed
        actions.connect = nil
        actions.finished = true
    }

    static func closedError(effect: JobboardError.Effect) -> JobboardError {
        JobboardError(.closed, "the client was shut down", outcome: effect)
    }

    /// Saves the cluster from keeping the session until it expires. Nobody waits for the answer.
    private mutating func sayGoodbye(_ lane: Int, actions: inout Actions<Waiter>) {
        guard let identity = lanes[lane].identify() else { return }
        let command = SessionCommand(
            session: identity.session, sequence: identity.sequence, acknowledgedBelow: identity.sequence,
            command: .closeSession)
        guard case .ready(_, let health) = state else { return }
        actions.sends.append(.init(number: 0, request: .write(command, Sending(term: health.term))))
        lanes[lane].lost(session: identity.session)
    }

    private mutating func check(_ node: String, _ health: Health, now: Moment, actions: inout Actions<Waiter>) {
        if let due = health.answerDue, due <= now {
            leave(node, because: "\(node) fell silent", now: now, actions: &actions)
        } else if let since = health.troubledSince, let hold = health.hold, hold <= now,
            since.adding(configuration.patience) <= now, configuration.followsLeader
        {
            leave(node, because: trouble, now: now, actions: &actions)
        }
    }

    private mutating func endOverdueCalls(now: Moment, actions: inout Actions<Waiter>) {
        var next = Moment.never
        for number in calls.numbers(where: { _ in true }) {
            guard calls[number].deadline <= now else {
                next = min(next, calls[number].deadline)
                continue
            }
            if let waiter = calls[number].waiter {
                let error = JobboardError(
                    .unavailable, "no answer in time; \(trouble)", outcome: calls[number].effect)
                actions.completions.append(.init(waiter: waiter, reply: .failed(error)))
                dismiss(number, now: now, actions: &actions)
                if calls.contains(number) { next = min(next, calls[number].deadline) }
            } else {
                finish(number, .cancelled, actions: &actions)
            }
        }
        earliestDeadline = next
        let open = calls
        queue.removeAll { !open.contains($0) }
        for lane in lanes.indices { lanes[lane].parked.removeAll { !open.contains($0) } }
    }
}
