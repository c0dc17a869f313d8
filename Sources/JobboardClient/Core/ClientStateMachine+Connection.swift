import DequeModule
package import WireFormat

extension ClientStateMachine {
    /// TCP stands; our hello goes out with it. False when nobody wants that connection any more.
    package mutating func connected(_ which: UInt64, now: Moment) -> Bool {
        guard which == connection, case .connecting(let node) = state else { return false }
        state = .greeting(node, until: now.adding(configuration.greeting))
        return true
    }

    /// The node said who it is.
    package mutating func greeted(_ hello: ClientHello, on which: UInt64, now: Moment, actions: inout Actions<Waiter>) {
        guard which == connection, case .greeting(let node, _) = state else { return }
        guard configuration.cluster.isEmpty || hello.cluster == configuration.cluster else {
            return leave(node, because: "\(node) belongs to cluster '\(hello.cluster)'", now: now, actions: &actions)
        }
        state = .ready(node, Health(term: hello.term))
        if let leader = hello.leader, leader != node, configuration.followsLeader, directory.trusts(leader, now: now) {
            state = .ready(node, Health(term: hello.term, move: leader))
        } else {
            presentSessions(actions: &actions)
        }
        pump(now: now, actions: &actions)
    }

    /// The connection could not be made, or ended, or its bytes made no sense.
    package mutating func disconnected(
        _ which: UInt64, because reason: String, now: Moment, actions: inout Actions<Waiter>
    ) {
        guard which == connection else { return }
        switch state {
        case .connecting(let node), .greeting(let node, _), .ready(let node, _):
            directory.failed(node, now: now)
            trouble = "\(node): \(reason)"
            reclaim(actions: &actions)
            reconnect(now: now, actions: &actions)
        case .idle, .backingOff, .closed:
            break
        }
    }

    mutating func connectIfIdle(actions: inout Actions<Waiter>) {
        switch state {
        case .idle: connect(actions: &actions)
        case .connecting, .greeting, .ready, .backingOff, .closed: break
        }
    }

    mutating func connect(actions: inout Actions<Waiter>) {
        let node = directory.choose()
        connection += 1
        state = .connecting(node)
        actions.connect = .init(node: node, connection: connection)
    }

    /// Gives a node up and goes to the next.
    mutating func leave(_ node: String, because reason: String, now: Moment, actions: inout Actions<Waiter>) {
        directory.failed(node, now: now)
        trouble = reason
        actions.closes.append(connection)
        reclaim(actions: &actions)
        reconnect(now: now, actions: &actions)
    }

    /// Goes where the node sent us, at the end of the batch in which it did.
    mutating func followMove(now: Moment, actions: inout Actions<Waiter>) {
        guard case .ready(_, let health) = state, let leader = health.move else { return }
        directory.learned(leader: leader)
        actions.closes.append(connection)
        reclaim(actions: &actions)
        redirects += 1
        if redirects <= 3 {
            connect(actions: &actions)
        } else {
            // Nodes that point at each other: give them time to agree.
            trouble = "the nodes do not agree on a leader"
            state = .backingOff(until: now.adding(backoff.next()))
        }
    }

    /// The next node at once while there are nodes not tried since something last worked; then after a pause.
    private mutating func reconnect(now: Moment, actions: inout Actions<Waiter>) {
        failures += 1
        if calls.count == 0 {
            state = .idle
        } else if failures <= directory.count {
            connect(actions: &actions)
        } else {
            state = .backingOff(until: now.adding(backoff.next()))
        }
    }

    /// Everything on the wire goes back to the front of the queue, in the order in which it was filed.
    /// What it did is unknown, and its retry under the same identity will tell.
    private mutating func reclaim(actions: inout Actions<Waiter>) {
        actions.sends.removeAll()
        guard promptOnWire > 0 || waitingOnWire > 0 else { return }
        var numbers = calls.numbers { $0.isOnWire }
        numbers.sort { calls[$0].order < calls[$1].order }
        for number in numbers {
            takeOffWire(number)
            if calls[number].work.changes { calls[number].uncertain = true }
        }
        queue.prepend(contentsOf: numbers)
    }
}
