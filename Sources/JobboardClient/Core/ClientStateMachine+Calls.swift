import DequeModule
package import Jobboard
import WireFormat

extension ClientStateMachine {
    /// A caller wants something within `timeout` nanoseconds, its own wait not counted.
    /// - Parameter ticket: the caller's name for cancelling it; 0 when it never will.
    package mutating func submit(
        _ work: Work, timeout: Int64, ticket: UInt64 = 0, waiter: Waiter, now: Moment, actions: inout Actions<Waiter>
    ) {
        if closingUntil != nil {
            actions.completions.append(.init(waiter: waiter, reply: .failed(Self.closedError(effect: .notApplied))))
            return
        }
        guard calls.count < configuration.maximumCalls else {
            let error = JobboardError(.overloaded, "\(calls.count) calls are open in this client")
            actions.completions.append(.init(waiter: waiter, reply: .failed(error)))
            return
        }
        let number = file(work, timeout: timeout, ticket: ticket, waiter: waiter, now: now)
        if ticket != 0 { tickets[ticket] = number }
        connectIfIdle(actions: &actions)
    }

    /// The caller with that ticket does not want its reply any more. Nothing happens when it has it already.
    package mutating func cancel(ticket: UInt64, now: Moment, actions: inout Actions<Waiter>) {
        guard let number = tickets[ticket], let waiter = calls[number].waiter else { return }
        actions.completions.append(.init(waiter: waiter, reply: .cancelled))
        dismiss(number, now: now, actions: &actions)
    }

    /// The request can't go out at all.
    package mutating func unsendable(_ number: UInt64, _ error: JobboardError, actions: inout Actions<Waiter>) {
        guard calls.contains(number) else { return }
        finish(number, .failed(error), actions: &actions)
    }

    /// Sends what is queued, as far as the node and its limits allow. To be called after a batch of anything.
    package mutating func pump(now: Moment, actions: inout Actions<Waiter>) {
        followMove(now: now, actions: &actions)
        sendQueued(now: now, actions: &actions)
        closeWhenDone(now: now, actions: &actions)
    }

    private mutating func sendQueued(now: Moment, actions: inout Actions<Waiter>) {
        guard case .ready(_, let health) = state else { return }
        if let hold = health.hold {
            guard hold <= now else { return }
            health.hold = nil
        }
        let before = (promptOnWire, waitingOnWire)
        for name in SessionLane.Name.allCases { unpark(name) }
        var early: [UInt64] = []
        while promptOnWire < configuration.maximumOnWire, let number = queue.popFirst() {
            guard calls.contains(number), !calls[number].isOnWire else { continue }
            // A copy has gone to a later leader than this one, and nothing that this one says of the call is the last word.
            guard calls[number].addressed.allows(health.term) else {
                early.append(number)
                continue
            }
            send(number, to: health.term, now: now, actions: &actions)
        }
        if !early.isEmpty {
            queue.prepend(contentsOf: early)
            if case .ready(let node, _) = state { trouble = "\(node) leads an earlier term" }
            hold(now: now)
        }
        if before.0 == 0, before.1 == 0 || promptOnWire > 0 { awaitAnswer(now: now) }
    }

    /// Adds a call to the table and the queue.
    @discardableResult
    mutating func file(_ work: Work, timeout: Int64, ticket: UInt64 = 0, waiter: Waiter?, now: Moment) -> UInt64 {
        let waitUntil = now.adding(work.wait)
        let deadline = timeout == .max ? .never : waitUntil.adding(timeout)
        earliestDeadline = min(earliestDeadline, deadline)
        let number = calls.insert(
            Call(
                work: work, waiter: waiter, ticket: ticket, deadline: deadline, waitUntil: waitUntil, order: nextOrder,
                lane: work.wait > 0 ? .waiting : .prompt))
        nextOrder += 1
        queue.append(number)
        return number
    }

    /// Ends a call: its number, its place in its session and its ticket are free; its caller, if any, gets the reply.
    mutating func finish(_ number: UInt64, _ reply: Reply, actions: inout Actions<Waiter>) {
        takeOffWire(number)
        let call = calls.remove(number)
        if let identity = call.identity { lanes[call.lane.rawValue].settled(identity) }
        if call.ticket != 0 { tickets[call.ticket] = nil }
        if let waiter = call.waiter { actions.completions.append(.init(waiter: waiter, reply: reply)) }
    }

    /// The caller has gone. A claim that may have been granted stays, without a caller, to be given back.
    mutating func dismiss(_ number: UInt64, now: Moment, actions: inout Actions<Waiter>) {
        let wasOnWire = calls[number].isOnWire
        if wasOnWire, calls[number].work.wait > 0 { actions.sends.append(.init(number: 0, request: .cancel(number))) }
        if calls[number].ticket != 0 { tickets[calls[number].ticket] = nil }
        calls[number].waiter = nil
        guard case .claimNext = calls[number].work, wasOnWire || calls[number].uncertain else {
            finish(number, .cancelled, actions: &actions)
            return
        }
        calls[number].waitUntil = now
        calls[number].deadline = now.adding(configuration.orphanage)
        earliestDeadline = min(earliestDeadline, calls[number].deadline)
    }

    /// Back into the queue after an answer that settled nothing.
    mutating func requeue(_ number: UInt64) {
        takeOffWire(number)
        queue.append(number)
    }

    mutating func takeOffWire(_ number: UInt64) {
        guard case .onWire(_, let wait) = calls[number].phase else { return }
        calls[number].phase = .queued
        if wait > 0 { waitingOnWire -= 1 } else { promptOnWire -= 1 }
    }

    private mutating func unpark(_ name: SessionLane.Name) {
        let ready = min(lanes[name.rawValue].parked.count, lanes[name.rawValue].room)
        guard ready > 0 else { return }
        queue.prepend(contentsOf: lanes[name.rawValue].parked.prefix(ready))
        lanes[name.rawValue].parked.removeFirst(ready)
    }

    private mutating func send(_ number: UInt64, to term: UInt64, now: Moment, actions: inout Actions<Waiter>) {
        let wait = min(calls[number].waitUntil.left(at: now), configuration.waitSlice)
        guard let request = request(number, to: term, wait: wait, now: now) else { return }
        calls[number].phase = .onWire(since: now, wait: wait)
        if wait > 0 { waitingOnWire += 1 } else { promptOnWire += 1 }
        actions.sends.append(.init(number: number, request: request))
    }

    /// The request as it goes out now; nil when the call must wait for its session.
    private mutating func request(_ number: UInt64, to term: UInt64, wait: Int64, now: Moment) -> Request? {
        let milliseconds = UInt32((wait + 999_999) / 1_000_000)
        switch calls[number].work {
        case .write(let command):
            guard let call = identified(number, command, now: now) else { return nil }
            calls[number].addressed.sent(to: term)
            return .write(call, Sending(term: term, isRepeated: calls[number].uncertain))
        case .claimNext(let claim, _):
            guard let call = identified(number, .claimNext(claim), now: now) else { return nil }
            calls[number].addressed.sent(to: term)
            return .write(call, Sending(term: term, isRepeated: calls[number].uncertain, waitMilliseconds: milliseconds))
        case .openSession(let lane): return present(lane, resumed: false)
        case .read(let query, let fresh): return .read(query, fresh: fresh)
        case .waitForClaimable(let board, _): return .waitForClaimable(board: board, milliseconds: milliseconds)
        case .waitForEnd(let job, _): return .waitForEnd(job: job, milliseconds: milliseconds)
        }
    }

    /// The command under its identity. One that may have had its effect keeps the identity it was sent with, even when that
    /// session is gone; any other gets one of the lane's session, or is parked until there is one.
    private mutating func identified(_ number: UInt64, _ command: Command, now: Moment) -> SessionCommand? {
        let lane = calls[number].lane
        var identity = calls[number].identity
        if let old = identity, !calls[number].uncertain, lanes[lane.rawValue].state != .open(session: old.session) {
            identity = nil
        }
        if identity == nil {
            identity = lanes[lane.rawValue].identify()
            calls[number].identity = identity
        }
        guard let identity else {
            lanes[lane.rawValue].parked.append(number)
            openSession(lane, now: now)
            return nil
        }
        return SessionCommand(
            session: identity.session, sequence: identity.sequence,
            acknowledgedBelow: lanes[lane.rawValue].acknowledgedBelow(for: identity), command: command)
    }

    /// Tells the node which session the lane's number stands for.
    private func present(_ lane: SessionLane.Name, resumed: Bool) -> Request? {
        switch lanes[lane.rawValue].state {
        case .none: nil
        case .opening(let session), .open(let session):
            .session(
                local: session, lanes[lane.rawValue].token, ttlMilliseconds: configuration.sessionMilliseconds,
                resumed: resumed)
        }
    }

    /// On a new connection, before any command goes out under them. The answers are of no interest: where a session is gone,
    /// its commands are refused.
    mutating func presentSessions(actions: inout Actions<Waiter>) {
        for lane in SessionLane.Name.allCases {
            guard case .open = lanes[lane.rawValue].state, let request = present(lane, resumed: true) else { continue }
            actions.sends.append(.init(number: 0, request: request))
        }
    }

    private mutating func openSession(_ lane: SessionLane.Name, now: Moment) {
        guard case .none = lanes[lane.rawValue].state else { return }
        lanes[lane.rawValue].opening(session: nextSession, token: newToken())
        nextSession += 1
        file(.openSession(lane), timeout: .max, waiter: nil, now: now)
    }
}
