extension Replica {
    /// Draws when this node will next ask for a pre-vote, counted from now.
    mutating func resetElectionDeadline() {
        electionDeadline = now.monotonic + settings.electionTimeout + random.below(settings.electionTimeout)
        // Those who have room go first.
        if room.isShort { electionDeadline += settings.electionTimeout }
    }

    /// A leader lives: it was heard within an election timeout, and its connection stands
    /// (dissertation, section 4.2.3: a server that hears a leader does not help to depose it).
    private var leaderLives: Bool {
        if case .leader = role { return true }
        guard let leaderHeard else { return false }
        return now.monotonic - leaderHeard < settings.electionTimeout
    }

    /// The leader's process is most likely gone. Followers ask one after another, by their place in the list, so that
    /// they do not split the vote.
    mutating func leaderConnectionLost() {
        guard leaderHeard != nil, let own = configuration.place(of: id) else { return }
        leaderHeard = nil
        let rank = UInt64(own) - (leader.flatMap(configuration.place(of:)).map { $0 < own ? 1 : 0 } ?? 0)
        var wait = rank * settings.takeoverStep + random.below(settings.takeoverStep / 3 + 1)
        if room.isShort { wait += UInt64(configuration.voters.count) * settings.takeoverStep }
        electionDeadline = min(electionDeadline, now.monotonic + wait)
    }

    /// Asks everybody whether an election would succeed, without disturbing anybody (dissertation, section 9.6).
    mutating func startPreVote(_ outputs: inout [ReplicaOutput]) {
        follow(nil, term: term, &outputs)
        setRetryDeadline()
        var granted = VoterSet()
        granted.insert(place: configuration.place(of: id)!)
        role = .preCandidate(granted: VoterBits(set: granted))
        if granted.count >= configuration.majority { return startElection(&outputs) }
        broadcast(.preVote(PreVote(term: term + 1, lastIndex: log.lastIndex, lastTerm: log.lastTerm)), &outputs)
    }

    /// Soon at first, since a vote on a quiet cluster takes milliseconds; later and later when nothing comes of it.
    mutating func setRetryDeadline() {
        let base = min(settings.electionTimeout, (settings.electionTimeout / 4) << min(attempts, 3))
        attempts += 1
        electionDeadline = now.monotonic + base + random.below(base)
    }

    mutating func answer(_ question: PreVote, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        let granted = question.term > term && !leaderLives && isUpToDate(question.lastIndex, question.lastTerm)
        let reply = PreVoteReply(term: term, askedTerm: question.term, granted: granted)
        outputs.append(.send(to: from, .preVoteReply(reply)))
    }

    mutating func count(_ reply: PreVoteReply, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        if reply.term > term { return follow(nil, term: reply.term, &outputs) }
        guard case .preCandidate(var granted) = role, reply.granted, reply.askedTerm == term + 1,
            let place = configuration.place(of: from)
        else { return }
        granted.set.insert(place: place)
        role = .preCandidate(granted: granted)
        if granted.set.count >= configuration.majority { startElection(&outputs) }
    }

    /// `isHandOver`: the leader asked for it.
    mutating func startElection(isHandOver: Bool = false, _ outputs: inout [ReplicaOutput]) {
        hardState = HardState(term: term + 1, vote: id)
        verified = 0
        setLeader(nil, &outputs)
        role = .candidate(Candidacy())
        // The own vote counts when it is durable, like any other. The question does not travel before either: whoever has been
        // asked in a term knows of somebody who is in that term for certain, should he forget his answer (`PeerStandings`).
        persist(hardState: hardState, &outputs)
        let question = Vote(term: term, lastIndex: log.lastIndex, lastTerm: log.lastTerm, isHandOver: isHandOver)
        for peer in peers { sendWhenDurable(.vote(question), to: peer, &outputs) }
    }

    /// The disk has caught up with everything ordered, so the own vote of this term is on it.
    mutating func countOwnVote(_ candidacy: Candidacy, _ outputs: inout [ReplicaOutput]) {
        guard disk.isIdle else { return }
        var candidacy = candidacy
        candidacy.granted.insert(place: configuration.place(of: id)!)
        decide(candidacy, &outputs)
    }

    mutating func answer(_ question: Vote, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        let upToDate = isUpToDate(question.lastIndex, question.lastTerm)
        if question.term > term {
            // With a leader alive the question is not even looked at, or a node that was cut off for a while would
            // depose it by its higher term; unless it is the leader's own wish.
            guard question.isHandOver || !leaderLives else { return }
            follow(nil, term: question.term, vote: upToDate ? from : nil, &outputs)
        }
        let free = hardState.vote == nil || hardState.vote == from
        guard question.term == term, free, leader == nil, upToDate else {
            outputs.append(.send(to: from, .voteReply(VoteReply(term: term, granted: false, wall: now.wall))))
            return
        }
        if hardState.vote == nil {
            hardState.vote = from
            persist(hardState: hardState, &outputs)
        }
        resetElectionDeadline()
        sendWhenDurable(.voteReply(VoteReply(term: term, granted: true, wall: now.wall)), to: from, &outputs)
    }

    mutating func count(_ reply: VoteReply, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        if reply.term > term { return follow(nil, term: reply.term, &outputs) }
        guard case .candidate(var candidacy) = role, reply.term == term, reply.granted,
            let place = configuration.place(of: from)
        else { return }
        let counted = candidacy.granted.count
        candidacy.granted.insert(place: place)
        if candidacy.granted.count > counted { candidacy.clockOffsets.append(clockOffset(of: reply.wall)) }
        decide(candidacy, &outputs)
    }

    private mutating func decide(_ candidacy: Candidacy, _ outputs: inout [ReplicaOutput]) {
        role = .candidate(candidacy)
        if candidacy.granted.count >= configuration.majority { lead(after: candidacy, &outputs) }
    }

    /// Raft paper, section 5.4.1: the log with the later last term, or else the longer one, is more up to date.
    private func isUpToDate(_ lastIndex: LogIndex, _ lastTerm: Term) -> Bool {
        lastTerm > log.lastTerm || (lastTerm == log.lastTerm && lastIndex >= log.lastIndex)
    }

    /// How far another node's wall clock is ahead of ours; the way of the message counts as no time.
    func clockOffset(of wall: UInt64) -> Int64 {
        Int64(clamping: wall) - Int64(clamping: now.wall)
    }
}
