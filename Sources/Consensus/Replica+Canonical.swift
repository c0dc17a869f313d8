import DequeModule

/// What a search over all that can happen needs to see of a replica: everything that its future depends on, nothing else.
///
/// Left out, since they change no answer while the searcher decides when time passes: the clocks, the generator of luck,
/// the election deadline and what draws it (`attempts`), when a question about a read was sent, when the last heartbeat
/// was, clock offsets (all walls show the same) and what is only counted. Instants stand as the class of their age,
/// numbers of writes by their place among those under way, rounds by the waiting reads that they would confirm.
extension Replica {
    /// Ages in the only classes that the code tells apart: up to an election timeout, up to two, more.
    private func ageClass(since moment: UInt64) -> UInt64 {
        let age = now.monotonic - moment
        return age <= settings.electionTimeout ? 0 : age <= 2 * settings.electionTimeout ? 1 : 2
    }

    /// How many of the waiting reads an answer to this round of this leadership would be good for.
    package func canonicalRound(_ round: UInt64) -> UInt64 {
        guard case .leader(let leadership) = role else { return 0 }
        return UInt64(leadership.reads.count { $0.round <= round })
    }

    /// The questions about reads that this follower waits for, in their order: their numbers, and the reads'.
    package var askedReads: [(nonce: UInt64, read: UInt64)] {
        followerReads.map { ($0.nonce, $0.read) }
    }

    private func name(_ node: NodeID?, _ names: CanonicalNames) -> UInt64 {
        node.flatMap(configuration.place(of:)).map { names.places[$0] + 1 } ?? 0
    }

    package func encodeCanonically(_ names: CanonicalNames, into hash: inout CanonicalHash) {
        hash.add(hardState.term)
        hash.add(name(hardState.vote, names))
        hash.add(log.lastIndex)
        hash.add(log.lastDigest.low)
        hash.add(log.cacheStart)
        hash.add(log.base.index)
        hash.add(snapshot?.index ?? 0)
        hash.add(fetching?.snapshot.index ?? 0)
        hash.add(now.monotonic >= nextFetch)
        hash.add(commit)
        hash.add(applied)
        hash.add(verified)
        hash.add(name(leader, names))
        hash.add(leaderHeard.map { now.monotonic - $0 < settings.electionTimeout } ?? false)
        hash.add(UInt64(room.rawValue) << 1 | (isLeaving ? 1 : 0))
        hash.add(UInt64(followerReads.count))
        for read in followerReads { hash.add(names.name(read: read.read)) }
        encodeDisk(names, into: &hash)
        switch role {
        case .follower: hash.add(1)
        case .preCandidate(let granted): encode(granted.set, tag: 2, names, into: &hash)
        case .candidate(let candidacy): encode(candidacy.granted, tag: 3, names, into: &hash)
        case .leader(let leadership): encode(leadership, names, into: &hash)
        }
    }

    private func encode(_ set: VoterSet, tag: UInt64, _ names: CanonicalNames, into hash: inout CanonicalHash) {
        hash.add(tag)
        var sum: UInt64 = 0
        for place in configuration.voters.indices where set.bits & (1 << UInt64(place)) != 0 {
            sum += 1 << (8 * names.places[place])
        }
        hash.add(sum)
    }

    private func encodeDisk(_ names: CanonicalNames, into hash: inout CanonicalHash) {
        hash.add(disk.durableIndex)
        hash.add(UInt64(disk.pending.count))
        for write in disk.pending {
            hash.add(write.lastIndex)
            hash.add(ageClass(since: write.orderedAt))
        }
        hash.add(UInt64(disk.held.count))
        // What waits for the same write is sent at once: who comes first is a matter of names.
        let order = disk.held.enumerated().map { (held: $1, key: ($1.number, name($1.to, names), $0)) }
        for (held, _) in order.sorted(by: { $0.key < $1.key }) {
            hash.add(disk.nextNumber - held.number)
            hash.add(name(held.to, names))
            held.message.encodeCanonically(round: 0, names, staleAge: settings.electionTimeout, into: &hash)
        }
    }

    private func encode(_ leadership: Leadership, _ names: CanonicalNames, into hash: inout CanonicalHash) {
        hash.add(4)
        hash.add(leadership.termStart)
        hash.add(name(leadership.handOver?.heir, names))
        hash.add(leadership.handOver?.isAsked ?? false)
        hash.add(leadership.handOver.map { ageClass(since: $0.since) } ?? 0)
        hash.add(now.monotonic >= leadership.nextHandOver)
        hash.add(UInt64(leadership.reads.count))
        for read in leadership.reads {
            switch read.origin {
            case .here(let number): hash.add(names.name(read: number) << 8)
            case .follower(let peer, let nonce): hash.add(name(peer, names) << 32 | names.name(nonce: nonce))
            }
            hash.add(read.index)
            hash.add(canonicalRound(read.round))
            hash.add(read.round <= leadership.round)
        }
        var followers = CanonicalHash()
        for (place, voter) in configuration.voters.enumerated() where voter != id {
            var follower = CanonicalHash()
            follower.add(names.places[place])
            encode(leadership.followers[place], into: &follower)
            followers.merge(follower)
        }
        hash.add(followers)
    }

    private func encode(_ follower: Progress, into hash: inout CanonicalHash) {
        hash.add(follower.match)
        hash.add(follower.next)
        switch follower.mode {
        case .probing(let sentAt): hash.add(sentAt == nil ? 1 : 2 as UInt64)
        case .streaming: hash.add(3)
        case .loading: hash.add(4)
        case .installing: hash.add(5)
        }
        hash.add(UInt64(follower.inFlight.count))
        for flight in follower.inFlight {
            hash.add(flight.last)
            hash.add(ageClass(since: flight.sentAt))
        }
        hash.add(ageClass(since: follower.lastHeard))
        hash.add(ageClass(since: follower.lastProgress))
        hash.add(follower.isRepeating)
        hash.add(UInt64(follower.room?.rawValue ?? 9))
        hash.add(follower.memory)
        hash.add(canonicalRound(follower.round))
    }
}

extension Message {
    /// `round`: what stands for the round of a heartbeat or of its answer; `staleAge`: from which age on, in milliseconds, a
    /// leader's oldest write is held against it.
    package func encodeCanonically(
        round: UInt64, _ names: CanonicalNames, staleAge: UInt64, into hash: inout CanonicalHash
    ) {
        switch self {
        case .preVote(let question): hash.add([1, question.term, question.lastIndex, question.lastTerm])
        case .preVoteReply(let reply): hash.add([2, reply.term, reply.askedTerm, reply.granted ? 1 : 0])
        case .vote(let question):
            hash.add([3, question.term, question.lastIndex, question.lastTerm, question.isHandOver ? 1 : 0])
        case .voteReply(let reply): hash.add([4, reply.term, reply.granted ? 1 : 0])
        case .append(let append):
            hash.add([5, append.term, append.previousIndex, append.previousTerm, append.previousDigest.low, append.commit])
            hash.add(UInt64(append.entries.count))
            for entry in append.entries { hash.add(entry.digest.low) }
        case .appendReply(let reply):
            switch reply.result {
            case .durable(let index): hash.add([6, reply.term, index])
            case .conflict(let at, let hintIndex, let hintTerm): hash.add([7, reply.term, at, hintIndex, hintTerm])
            case .installing(let pieces): hash.add([12, reply.term, pieces])
            }
        case .heartbeat(let heartbeat):
            let isStale = UInt64(heartbeat.oldestWriteAge) >= staleAge
            hash.add([8, heartbeat.term, round, heartbeat.commit, isStale ? 1 : 0])
        case .heartbeatReply(let reply):
            hash.add([9, reply.term, round, reply.durable, UInt64(reply.room.rawValue), reply.memory])
        case .readIndex(let question): hash.add([10, question.term, names.name(nonce: question.nonce)])
        case .readIndexReply(let reply): hash.add([11, reply.term, names.name(nonce: reply.nonce), reply.index])
        case .snapshotOffer(let offer): hash.add([13, offer.term, offer.snapshot.index, offer.snapshot.digest.low])
        case .takeOver(let wish): hash.add([14, wish.term, wish.lastIndex])
        }
    }
}

extension CanonicalHash {
    fileprivate mutating func add(_ values: [UInt64]) {
        for value in values { add(value) }
    }
}
