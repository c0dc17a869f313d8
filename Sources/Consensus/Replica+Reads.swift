import DequeModule

/// A read that waits at the leader for a round (dissertation, section 6.4).
struct WaitingRead: Sendable, Equatable {
    enum Origin: Sendable, Equatable {
        /// It came to this node.
        case here(UInt64)
        /// A follower asked.
        case follower(NodeID, nonce: UInt64)
    }

    var origin: Origin
    /// What was committed when it came; nil until the term's first entry is.
    var index: LogIndex?
    /// It may be answered when a majority has answered this round.
    var round: UInt64
}

/// A read that came to a follower and waits for the leader's index.
struct FollowerRead: Sendable, Equatable {
    var read: UInt64
    /// Never used for another read: an answer must not confirm a read that came after its question (etcd#20418). The
    /// question is repeated under the same number, since an answer to any of its tries will do.
    var nonce: UInt64
    var sentAt: UInt64
}

extension Replica {
    mutating func startRead(_ read: UInt64, _ outputs: inout [ReplicaOutput]) {
        if isLeader { return startRead(.here(read), &outputs) }
        guard let leader, followerReads.count < settings.waitingReads else { return outputs.append(.readFailed(read)) }
        followerReads.append(FollowerRead(read: read, nonce: takeNonce(), sentAt: now.monotonic))
        outputs.append(.send(to: leader, .readIndex(ReadIndex(term: term, nonce: followerReads.last!.nonce))))
    }

    private mutating func takeNonce() -> UInt64 {
        defer { nextNonce += 1 }
        return nextNonce
    }

    /// At the leader: the read waits for a round that starts after it came.
    private mutating func startRead(_ origin: WaitingRead.Origin, _ outputs: inout [ReplicaOutput]) {
        guard case .leader(var leadership) = role else { return }
        guard leadership.reads.count < settings.waitingReads else {
            if case .here(let read) = origin { outputs.append(.readFailed(read)) }
            return
        }
        let open = commit >= leadership.termStart
        let roundIsUnderWay = leadership.reads.contains { $0.round <= leadership.round }
        leadership.reads.append(
            WaitingRead(origin: origin, index: open ? commit : nil, round: leadership.round + 1))
        role = .leader(leadership)
        // One round serves all reads that came before it started; the next starts when it is done.
        if !roundIsUnderWay { sendHeartbeats(&outputs) }
    }

    /// The term's first entry is committed: reads that came before now know what to wait for.
    mutating func startParkedReads(_ outputs: inout [ReplicaOutput]) {
        guard case .leader(var leadership) = role, commit >= leadership.termStart else { return }
        var found = false
        for place in leadership.reads.indices where leadership.reads[place].index == nil {
            leadership.reads[place].index = commit
            found = true
        }
        guard found else { return }
        role = .leader(leadership)
        finishReads(&outputs)
    }

    mutating func finishReads(_ outputs: inout [ReplicaOutput]) {
        guard case .leader(var leadership) = role, !leadership.reads.isEmpty else { return }
        let answered = configuration.reachedByMajority(
            configuration.voters.enumerated().map { $1 == id ? leadership.round : leadership.followers[$0].round })
        var waiting: [WaitingRead] = []
        for read in leadership.reads {
            guard read.round <= answered, let index = read.index else {
                waiting.append(read)
                continue
            }
            switch read.origin {
            case .here(let number): outputs.append(.readReady(number, index: index))
            case .follower(let peer, let nonce):
                outputs.append(.send(to: peer, .readIndexReply(ReadIndexReply(term: term, nonce: nonce, index: index))))
            }
        }
        let finished = waiting.count < leadership.reads.count
        leadership.reads = waiting
        role = .leader(leadership)
        if finished, waiting.contains(where: { $0.round > leadership.round }) { sendHeartbeats(&outputs) }
    }

    func failReads(of leadership: Leadership, _ outputs: inout [ReplicaOutput]) {
        for read in leadership.reads {
            if case .here(let number) = read.origin { outputs.append(.readFailed(number)) }
        }
    }

    mutating func receive(_ question: ReadIndex, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        if question.term > term { return follow(nil, term: question.term, &outputs) }
        startRead(.follower(from, nonce: question.nonce), &outputs)
    }

    mutating func receive(_ reply: ReadIndexReply, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        guard let place = followerReads.firstIndex(where: { $0.nonce == reply.nonce }) else { return }
        outputs.append(.readReady(followerReads[place].read, index: reply.index))
        followerReads.remove(at: place)
        // The leader would say so in its next heartbeat; the reader need not wait for that.
        if reply.term == term, leader == from { follow(commit: reply.index, &outputs) }
    }

    /// Questions that found no answer are asked again.
    mutating func repeatFollowerReads(_ outputs: inout [ReplicaOutput]) {
        for place in followerReads.indices where now.monotonic - followerReads[place].sentAt >= settings.heartbeat {
            guard let leader else { break }
            followerReads[place].sentAt = now.monotonic
            outputs.append(.send(to: leader, .readIndex(ReadIndex(term: term, nonce: followerReads[place].nonce))))
        }
        if leader == nil {
            for read in followerReads { outputs.append(.readFailed(read.read)) }
            followerReads.removeAll()
        }
    }
}
