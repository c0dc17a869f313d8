import DequeModule
import Jobboard
package import WireFormat

extension ClientStateMachine {
    /// The node answered. What nobody waits for any more is ignored.
    package mutating func received(
        _ response: Response, number: UInt64, on from: UInt64, now: Moment, actions: inout Actions<Waiter>
    ) {
        guard from == connection, case .ready = state else { return }
        guard calls.contains(number), calls[number].isOnWire else { return awaitAnswer(now: now) }
        switch response {
        case .notLeader(let leader):
            takeBack(number)
            redirected(to: leader, number, now: now)
        case .otherTerm(let term):
            let addressed = calls[number].addressed.latest
            takeBack(number)
            requeue(number)
            otherTerm(term, addressed: addressed, now: now)
        case .failed(let error):
            failed(number, error, now: now, actions: &actions)
        case .outcome(.refused(let error)) where error.code == .sessionExpired:
            sessionLost(number, actions: &actions)
        default:
            answered(number, response, now: now, actions: &actions)
        }
        awaitAnswer(now: now)
    }

    /// Something must be heard soon from a node that owes answers; later from one that holds nothing but waits.
    mutating func awaitAnswer(now: Moment) {
        guard case .ready(_, let health) = state else { return }
        if promptOnWire > 0 {
            health.answerDue = now.adding(configuration.silence)
        } else if waitingOnWire > 0 {
            health.answerDue = now.adding(configuration.waitSlice + configuration.silence)
        } else {
            health.answerDue = nil
        }
    }

    /// The node has not taken this copy, and never will.
    private func takeBack(_ number: UInt64) {
        if !calls[number].uncertain { calls[number].addressed.noneIsLeft() }
    }

    /// The node leads another term than the command was addressed to. One that names the very term gets time: it would send
    /// the command back at once, and again.
    private mutating func otherTerm(_ term: UInt64, addressed: UInt64, now: Moment) {
        guard case .ready(let node, let health) = state else { return }
        guard term == addressed else { return health.term = term }
        trouble = "\(node) sends commands of its own term back"
        hold(now: now)
    }

    private mutating func redirected(to leader: String?, _ number: UInt64, now: Moment) {
        requeue(number)
        guard case .ready(let node, let health) = state else { return }
        if let leader, leader != node, configuration.followsLeader, directory.trusts(leader, now: now) {
            // Moved at the end of the batch: the answers that came with this one still count.
            health.move = leader
        } else {
            trouble = "\(node) knows no leader"
            hold(now: now)
        }
    }

    private mutating func failed(
        _ number: UInt64, _ error: JobboardError, now: Moment, actions: inout Actions<Waiter>
    ) {
        switch error.code {
        case .sessionExpired:
            sessionLost(number, actions: &actions)
        case .unavailable, .overloaded, .closed:
            if error.outcome == .unknown, calls[number].work.changes { calls[number].uncertain = true }
            takeBack(number)
            if error.code == .overloaded, !calls[number].uncertain { renumber(number) }
            requeue(number)
            if case .ready(let node, _) = state { trouble = "\(node) answered \(error)" }
            hold(now: now)
        default:
            settle(number, .failed(error), actions: &actions)
        }
    }

    /// The node asked for time, or has no leader to speak for it.
    mutating func hold(now: Moment) {
        guard case .ready(_, let health) = state, health.hold == nil else { return }
        health.hold = now.adding(backoff.next())
        health.troubledSince = health.troubledSince ?? now
    }

    /// The cluster forgot the session. What surely had no effect goes again under a new one; of anything else nobody can tell.
    private mutating func sessionLost(_ number: UInt64, actions: inout Actions<Waiter>) {
        guard let identity = calls[number].identity else {
            let error = JobboardError(.internal, "a session expired for a request that has none")
            return finish(number, .failed(error), actions: &actions)
        }
        lanes[calls[number].lane.rawValue].lost(session: identity.session)
        if calls[number].uncertain {
            let error = JobboardError(
                .sessionExpired, "the session ended before a lost answer could be asked for again",
                outcome: .unknown)
            finish(number, .failed(error), actions: &actions)
        } else {
            calls[number].identity = nil
            calls[number].addressed.noneIsLeft()
            requeue(number)
        }
    }

    private mutating func answered(
        _ number: UInt64, _ response: Response, now: Moment, actions: inout Actions<Waiter>
    ) {
        if calls[number].work.provesQuorum { worked() }
        // Most calls; asked for first, since the question below copies both of its halves.
        if case .write = calls[number].work { return finish(number, .response(response), actions: &actions) }
        switch (calls[number].work, response) {
        case (.openSession(let lane), .outcome(.sessionOpened)):
            lanes[lane.rawValue].opened()
            finish(number, .response(response), actions: &actions)
        case (.openSession, .outcome(.refused(let error))) where error.code == .overloaded:
            failed(number, error, now: now, actions: &actions)
        case (.openSession, .outcome(.refused(let error))):
            settle(number, .failed(error), actions: &actions)
        case (.claimNext(let claim, _), .outcome(.claimed(let jobs))) where calls[number].waiter == nil:
            finish(number, .response(response), actions: &actions)
            giveBack(jobs, claim, now: now)
        case (.claimNext, .outcome(.claimed([]))), (.waitForClaimable, .ready(false)):
            askAgain(number, response, now: now, actions: &actions)
        case (.waitForEnd, .job(let job)) where job.state == .unclaimed || job.state == .claimed:
            askAgain(number, response, now: now, actions: &actions)
        default:
            settle(number, .response(response), actions: &actions)
        }
    }

    /// A wait came back empty: its next slice, unless its time is up.
    private mutating func askAgain(
        _ number: UInt64, _ response: Response, now: Moment, actions: inout Actions<Waiter>
    ) {
        guard case .onWire(let since, let wait) = calls[number].phase, calls[number].waiter != nil,
            calls[number].waitUntil.left(at: now) > .milliseconds(1)
        else { return finish(number, .response(response), actions: &actions) }
        renumber(number)
        calls[number].uncertain = false
        calls[number].addressed.noneIsLeft()
        requeue(number)
        // A node that gives up early has no room for waits; asking again at once would only make it worse.
        if since.adding(wait / 2) > now { hold(now: now) }
    }

    /// The next copy is another request. Only where no copy may still have an effect.
    private mutating func renumber(_ number: UInt64) {
        guard let identity = calls[number].identity else { return }
        lanes[calls[number].lane.rawValue].settled(identity)
        calls[number].identity = nil
    }

    /// The last word on a call. Without a session, what waited for it ends the same way.
    private mutating func settle(_ number: UInt64, _ reply: Reply, actions: inout Actions<Waiter>) {
        guard case .openSession(let lane) = calls[number].work else { return finish(number, reply, actions: &actions) }
        finish(number, reply, actions: &actions)
        lanes[lane.rawValue].notOpened()
        let parked = lanes[lane.rawValue].parked
        lanes[lane.rawValue].parked.removeAll()
        let fallback = JobboardError(.internal, "the answer to opening a session makes no sense")
        for number in parked where calls.contains(number) {
            if case .failed = reply {
                finish(number, reply, actions: &actions)
            } else {
                finish(number, .failed(fallback), actions: &actions)
            }
        }
    }

    /// Jobs that were claimed for a caller who has gone.
    private mutating func giveBack(_ jobs: [Job], _ claim: ClaimNext, now: Moment) {
        for job in jobs {
            let holder = Holder(job: job.id, who: claim.who, fence: job.fence)
            let command = Command.abandon(holder, delayMilliseconds: nil, failure: nil)
            file(.write(command), timeout: configuration.orphanage, waiter: nil, now: now)
        }
    }

    /// The node did work that needs a quorum: whatever went wrong before is over.
    private mutating func worked() {
        failures = 0
        redirects = 0
        backoff.reset()
        guard case .ready(_, let health) = state, health.troubledSince != nil else { return }
        health.troubledSince = nil
    }
}
