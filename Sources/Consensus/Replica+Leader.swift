/// What only a leader has.
package struct Leadership: Sendable, Equatable {
    /// By place in the configuration; the own place is there, and not used.
    package var followers: [Progress]
    /// The first entry of this leader's term; before it is committed nothing is read or counted.
    package let termStart: LogIndex
    /// The last read round sent.
    var round: UInt64 = 0
    var lastHeartbeat: UInt64
    /// Reads waiting for a round, in the order of their rounds.
    var reads: [WaitingRead] = []
    /// How far the middle one of the clocks heard from is ahead of ours, in milliseconds.
    var agreedOffset: Int64
    var handOver: HandOver?
    /// None begins before.
    var nextHandOver: UInt64 = 0
}

extension Replica {
    /// Whether a write proposed now has a fair chance: a majority answered within an election timeout.
    /// The first stage of check-quorum; the second is to step down (dissertation, section 6.2).
    package var acceptsWrites: Bool {
        guard case .leader(let leadership) = role else { return false }
        return now.monotonic - lastQuorum(leadership) <= settings.electionTimeout
    }

    /// Whether this leader's first entry is committed, so that its state is up to date.
    package var termIsOpen: Bool {
        guard case .leader(let leadership) = role else { return false }
        return commit >= leadership.termStart
    }

    mutating func lead(after candidacy: Candidacy, _ outputs: inout [ReplicaOutput]) {
        precondition(leader == nil, "a leader of term \(term) is known already")
        let progress = Progress(next: log.lastIndex + 1, now: now.monotonic)
        let offset = Self.median(candidacy.clockOffsets + [0])
        role = .leader(
            Leadership(
                followers: configuration.voters.map { _ in progress }, termStart: log.lastIndex + 1,
                lastHeartbeat: now.monotonic, agreedOffset: offset))
        setLeader(id, &outputs)
        verified = log.lastIndex
        append(.termStart, payload: [], commandCount: 0, &outputs)
        sendHeartbeats(&outputs)
    }

    mutating func propose(_ kind: EntryKind, payload: [UInt8], commandCount: UInt32, _ outputs: inout [ReplicaOutput]) {
        precondition(isLeader, "only a leader is asked to append")
        append(kind, payload: payload, commandCount: commandCount, &outputs)
    }

    private mutating func append(
        _ kind: EntryKind, payload: [UInt8], commandCount: UInt32, _ outputs: inout [ReplicaOutput]
    ) {
        let entry = sealer.seal(
            EntryDraft(
                kind: kind, term: term, index: log.lastIndex + 1, time: stamp(), firstCommand: log.nextCommand,
                commandCount: commandCount, parent: log.lastDigest, payload: payload))
        log.append(entry)
        clock.stored(at: now.monotonic)
        verified = log.lastIndex
        persist(entries: [entry], &outputs)
        sendAppends(&outputs)
    }

    /// The time that goes into the next entry: what the middle one of the clocks heard from shows, or, while that is behind
    /// the last entry's time, a time that goes on from there more slowly than true time (`LogClock`).
    ///
    /// One node whose clock is set to the year 2100 must not end every lease when it comes to lead; and a majority whose
    /// clocks were ahead and are corrected must not stop time until the clocks have caught up.
    package func stamp() -> UInt64 {
        guard case .leader(let leadership) = role else { return log.lastTime }
        let agreed = Int64(clamping: now.wall) &+ leadership.agreedOffset
        guard settings.timePassesWithoutClocks else { return max(log.lastTime, UInt64(max(0, agreed))) }
        return max(clock.earliest(after: log.lastTime, at: now.monotonic), UInt64(max(0, agreed)))
    }

    /// How far the time of the log's last entry is ahead of what the clocks agree on, in milliseconds; 0 of a node that does
    /// not lead.
    package var logTimeAhead: UInt64 {
        guard case .leader(let leadership) = role else { return 0 }
        let agreed = UInt64(max(0, Int64(clamping: now.wall) &+ leadership.agreedOffset))
        return log.lastTime - min(log.lastTime, agreed)
    }

    /// The lower middle: time that runs late delays a deadline, time that runs early breaks a promise.
    static func median(_ offsets: [Int64]) -> Int64 {
        offsets.sorted()[(offsets.count - 1) / 2]
    }

    mutating func leaderTick(_ outputs: inout [ReplicaOutput]) {
        guard case .leader(let leadership) = role else { return }
        if now.monotonic - lastQuorum(leadership) > 2 * settings.electionTimeout || diskHangs {
            return follow(nil, term: term, &outputs)
        }
        if now.monotonic - leadership.lastHeartbeat >= settings.heartbeat { sendHeartbeats(&outputs) }
        retryStuckFollowers()
        sendAppends(&outputs)
        considerHandOver(&outputs)
    }

    /// The disk has not answered for so long that this node should not lead.
    private var diskHangs: Bool {
        oldestWriteAge > 2 * settings.electionTimeout && configuration.voters.count > 1
    }

    private var oldestWriteAge: UInt64 {
        disk.oldestOrderedAt.map { now.monotonic - $0 } ?? 0
    }

    /// When a majority, this node included, had last been heard.
    private func lastQuorum(_ leadership: Leadership) -> UInt64 {
        configuration.reachedByMajority(
            configuration.voters.enumerated().map { $1 == id ? now.monotonic : leadership.followers[$0].lastHeard })
    }

    mutating func sendHeartbeats(_ outputs: inout [ReplicaOutput]) {
        guard case .leader(var leadership) = role else { return }
        leadership.round += 1
        leadership.lastHeartbeat = now.monotonic
        role = .leader(leadership)
        let age = UInt32(clamping: oldestWriteAge)
        broadcast(
            .heartbeat(Heartbeat(term: term, round: leadership.round, commit: commit, oldestWriteAge: age)), &outputs)
        finishReads(&outputs)
    }

    /// What was sent and not acknowledged for an election timeout is sent again.
    private mutating func retryStuckFollowers() {
        guard case .leader(var leadership) = role else { return }
        for place in leadership.followers.indices {
            let follower = leadership.followers[place]
            switch follower.mode {
            case .streaming where follower.inFlight.first.map { now.monotonic - $0.sentAt > settings.electionTimeout } ?? false:
                leadership.followers[place].startProbing(from: follower.match + 1)
            case .probing(let sentAt?) where now.monotonic - sentAt > 2 * settings.heartbeat:
                leadership.followers[place].mode = .probing(sentAt: nil)
                leadership.followers[place].isRepeating = true
            case .installing(let offeredAt) where now.monotonic - offeredAt > 2 * settings.heartbeat:
                // Where it stands is asked by offering again.
                leadership.followers[place].mode = .probing(sentAt: nil)
            case .streaming, .probing, .loading, .installing: break
            }
        }
        role = .leader(leadership)
    }

    /// Sends to every follower whatever it may get now.
    mutating func sendAppends(_ outputs: inout [ReplicaOutput]) {
        for (place, peer) in configuration.voters.enumerated() where peer != id { send(to: peer, place, &outputs) }
    }

    private mutating func send(to peer: NodeID, _ place: Int, _ outputs: inout [ReplicaOutput]) {
        guard case .leader(var leadership) = role else { return }
        // Taken out, so that it is changed in place and not copied.
        role = .follower
        var follower = leadership.followers[place]
        while true {
            guard follower.next > log.base.index else {
                offerSnapshot(to: peer, &follower, &outputs)
                break
            }
            guard let entries = sendable(&follower, peer, &outputs) else { break }
            let previous = follower.next - 1
            outputs.append(.send(to: peer, append(after: previous, entries)))
            if case .probing = follower.mode {
                follower.mode = .probing(sentAt: now.monotonic)
                break
            }
            follower.sent(
                last: previous + LogIndex(entries.count), bytes: entries.reduce(0) { $0 + $1.block.count }, now: now.monotonic)
        }
        leadership.followers[place] = follower
        role = .leader(leadership)
    }

    /// In place of entries that are in a snapshot alone.
    private func offerSnapshot(to peer: NodeID, _ follower: inout Progress, _ outputs: inout [ReplicaOutput]) {
        switch follower.mode {
        case .installing, .loading, .probing(sentAt: .some): return
        case .streaming, .probing(sentAt: nil): break
        }
        guard let offer = offer(behind: follower.next - 1) else { return }
        outputs.append(.send(to: peer, .snapshotOffer(offer)))
        follower.mode = .installing(offeredAt: now.monotonic)
    }

    private func append(after previous: LogIndex, _ entries: [Entry]) -> Message {
        .append(
            Append(
                term: term, previousIndex: previous, previousTerm: log.term(at: previous)!,
                previousDigest: log.digest(at: previous)!, commit: commit, entries: entries))
    }

    /// What may be sent to a follower now; nil for nothing.
    private func sendable(_ follower: inout Progress, _ peer: NodeID, _ outputs: inout [ReplicaOutput]) -> [Entry]? {
        switch follower.mode {
        case .loading, .installing, .probing(sentAt: .some):
            return nil
        case .probing(sentAt: nil):
            // Nothing is known to be needed where all of the log is there already.
            guard follower.match < log.lastIndex else { return nil }
            // Where the logs part is asked for without entries, unless they are at hand. A question that is repeated
            // carries none: to one that does not answer they would pile up, and fill this node's memory.
            return follower.isRepeating ? [] : log.entries(from: follower.next, maxBytes: settings.appendBytes) ?? []
        case .streaming:
            guard follower.next <= log.lastIndex, follower.inFlight.count < settings.inFlightBlocks,
                follower.inFlightBytes < settings.inFlightBytes
            else { return nil }
            if let entries = log.entries(from: follower.next, maxBytes: settings.appendBytes) { return entries }
            // Older than what memory holds: the disk has it. One load at a time, with nothing else under way.
            guard follower.inFlight.isEmpty else { return nil }
            follower.mode = .loading
            outputs.append(.load(for: peer, from: follower.next, maxBytes: settings.appendBytes))
            return nil
        }
    }

    mutating func loaded(_ entries: [Entry], for peer: NodeID, _ outputs: inout [ReplicaOutput]) {
        guard case .leader(var leadership) = role, let place = configuration.place(of: peer),
            case .loading = leadership.followers[place].mode
        else { return }
        var follower = leadership.followers[place]
        follower.mode = .streaming
        let previous = follower.next - 1
        // What the disk gave is sent only if it is what the log says; a truncation may have come between.
        let valid = entries.enumerated().allSatisfy { log.digest(at: follower.next + LogIndex($0)) == $1.digest }
        if valid, !entries.isEmpty {
            outputs.append(.send(to: peer, append(after: previous, entries)))
            follower.sent(
                last: previous + LogIndex(entries.count), bytes: entries.reduce(0) { $0 + $1.block.count }, now: now.monotonic)
        } else if entries.isEmpty, let offer = offer(behind: previous) {
            // They can't be read, and maybe nobody has them: blocks that rotted here can be compacted away elsewhere.
            outputs.append(.send(to: peer, .snapshotOffer(offer)))
            follower.mode = .installing(offeredAt: now.monotonic)
        } else {
            // It is asked again after a while.
            follower.startProbing(from: follower.match + 1)
            follower.mode = .probing(sentAt: now.monotonic)
        }
        leadership.followers[place] = follower
        role = .leader(leadership)
    }

    /// Hands over the leadership and the follower's place when the reply belongs to this term.
    private mutating func follower(_ from: NodeID, term replyTerm: Term, _ outputs: inout [ReplicaOutput]) -> (Leadership, Int)? {
        if replyTerm > term {
            follow(nil, term: replyTerm, &outputs)
            return nil
        }
        guard replyTerm == term, case .leader(let leadership) = role, let place = configuration.place(of: from) else {
            return nil
        }
        return (leadership, place)
    }

    mutating func receive(_ reply: AppendReply, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        guard case (var leadership, let place)? = follower(from, term: reply.term, &outputs) else { return }
        if case .durable = reply.result { leadership.followers[place].lastHeard = now.monotonic }
        switch reply.result {
        case .durable(let index):
            guard acknowledge(index, &leadership.followers[place], from, &outputs) else { return }
            switch leadership.followers[place].mode {
            case .probing, .installing: leadership.followers[place].mode = .streaming
            case .streaming, .loading: break
            }
        case .installing(let pieces):
            if pieces > leadership.followers[place].pieces || pieces == 0 {
                leadership.followers[place].lastProgress = now.monotonic
                leadership.followers[place].lastHeard = now.monotonic
            }
            leadership.followers[place].pieces = pieces
        case .conflict(let at, let hintIndex, let hintTerm):
            let follower = leadership.followers[place]
            // A late answer to an earlier question says nothing about where we stand now.
            guard at > follower.match, at < follower.next, hintIndex >= 1, hintIndex <= at + 1 else { break }
            let guess = hintTerm == 0 ? hintIndex : max(hintIndex, log.lastIndex(ofTermAtMost: hintTerm) + 1)
            leadership.followers[place].startProbing(from: max(follower.match + 1, min(guess, at)))
        }
        role = .leader(leadership)
        advanceCommit(&outputs)
        if let place = configuration.place(of: from) { send(to: from, place, &outputs) }
        finishHandOver(&outputs)
    }

    mutating func receive(_ reply: HeartbeatReply, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        guard case (var leadership, let place)? = follower(from, term: reply.term, &outputs) else { return }
        var follower = leadership.followers[place]
        follower.round = max(follower.round, min(reply.round, leadership.round))
        follower.clockOffset = clockOffset(of: reply.wall)
        follower.room = reply.room
        follower.memory = reply.memory
        guard acknowledge(reply.durable, &follower, from, &outputs) else { return }
        // Who answers heartbeats and takes no entries is of no use: it does not count as heard. So a leader whose
        // datagrams get through, and whose streams do not, loses office.
        if now.monotonic - follower.lastProgress <= 2 * settings.electionTimeout { follower.lastHeard = now.monotonic }
        // It restarted and no longer knows how far its log equals ours, so it can't follow the commit index.
        if reply.durable < follower.match, follower.inFlight.isEmpty, follower.match >= log.base.index {
            outputs.append(.send(to: from, append(after: follower.match, [])))
        }
        leadership.followers[place] = follower
        leadership.agreedOffset = agreedOffset(leadership)
        role = .leader(leadership)
        advanceCommit(&outputs)
        finishReads(&outputs)
        send(to: from, place, &outputs)
    }

    private func agreedOffset(_ leadership: Leadership) -> Int64 {
        Self.median(
            configuration.voters.enumerated().compactMap { $1 == id ? 0 : leadership.followers[$0].clockOffset })
    }

    private func acknowledge(
        _ index: LogIndex, _ follower: inout Progress, _ from: NodeID, _ outputs: inout [ReplicaOutput]
    ) -> Bool {
        guard index <= log.lastIndex else {
            outputs.append(.halt("node \(from) acknowledges entry \(index), and the log ends at \(log.lastIndex)"))
            return false
        }
        let before = follower.match
        follower.acknowledged(index)
        follower.noteProgress(before: before, last: log.lastIndex, now: now.monotonic)
        return true
    }

    /// Raft paper, section 5.4.2: an entry of this term that a majority has on disk is committed, and all before it.
    /// Entries of earlier terms are never counted themselves (figure 8).
    mutating func advanceCommit(_ outputs: inout [ReplicaOutput]) {
        guard case .leader(let leadership) = role else { return }
        let reached = configuration.reachedByMajority(
            configuration.voters.enumerated().map { $1 == id ? disk.durableIndex : leadership.followers[$0].match })
        guard reached > commit, log.term(at: reached) == term else { return }
        commit = reached
        outputs.append(.committed(commit))
        startParkedReads(&outputs)
    }
}

extension Replica {
    /// How far a peer's log is known to be durable and equal to ours; 0 where this node does not lead.
    package func knownDurable(at peer: NodeID) -> LogIndex {
        guard case .leader(let leadership) = role, let place = configuration.place(of: peer) else { return 0 }
        return leadership.followers[place].match
    }
}
