extension Replica {
    /// A message from somebody who says it leads `messageTerm`: true when it does.
    mutating func acceptLeader(_ from: NodeID, term messageTerm: Term, _ outputs: inout [ReplicaOutput]) -> Bool {
        guard messageTerm >= term else { return false }
        if messageTerm == term, let leader, leader != from {
            outputs.append(.halt("nodes \(leader) and \(from) both lead term \(term)"))
            return false
        }
        if messageTerm > term || leader != from || role != .follower { follow(from, term: messageTerm, &outputs) }
        return true
    }

    mutating func heardLeader() {
        leaderHeard = now.monotonic
        attempts = 0
        resetElectionDeadline()
    }

    mutating func receive(_ heartbeat: Heartbeat, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        guard acceptLeader(from, term: heartbeat.term, &outputs) else {
            if heartbeat.term < term {
                let reply = HeartbeatReply(
                    term: term, round: 0, durable: 0, wall: now.wall, room: room, memory: settings.memoryBytes)
                outputs.append(.send(to: from, .heartbeatReply(reply)))
            }
            return
        }
        // A leader that admits that its disk hangs does not count as alive (etcd#13527).
        if UInt64(heartbeat.oldestWriteAge) < settings.electionTimeout { heardLeader() }
        follow(commit: heartbeat.commit, &outputs)
        let reply = HeartbeatReply(
            term: term, round: heartbeat.round, durable: min(verified, disk.durableIndex), wall: now.wall, room: room,
            memory: settings.memoryBytes)
        outputs.append(.send(to: from, .heartbeatReply(reply)))
    }

    mutating func receive(_ append: Append, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        guard acceptLeader(from, term: append.term, &outputs) else {
            if append.term < term {
                let result = AppendReply.Result.conflict(at: append.previousIndex, hintIndex: 1, hintTerm: 0)
                outputs.append(.send(to: from, .appendReply(AppendReply(term: term, result: result))))
            }
            return
        }
        heardLeader()
        guard let append = withoutCompacted(append, &outputs) else { return }
        guard log.term(at: append.previousIndex) == append.previousTerm else {
            let conflict = conflict(before: append.previousIndex)
            outputs.append(.send(to: from, .appendReply(AppendReply(term: term, result: conflict))))
            return
        }
        guard log.digest(at: append.previousIndex) == append.previousDigest else {
            return outputs.append(.halt("entry \(append.previousIndex) of term \(append.previousTerm) exists twice"))
        }
        guard let new = newEntries(of: append, &outputs), !holdsBack(new) else { return }
        guard store(new, &outputs) else { return }
        let match = append.previousIndex + LogIndex(append.entries.count)
        verified = max(verified, match)
        follow(commit: append.commit, &outputs)
        let reply = Message.appendReply(AppendReply(term: term, result: .durable(match)))
        if match <= disk.durableIndex {
            outputs.append(.send(to: from, reply))
        } else {
            sendWhenDurable(reply, to: from, &outputs)
        }
    }

    /// The append without the entries that this log holds in a snapshot alone, which are committed; nil when the leader is
    /// not to be believed.
    private mutating func withoutCompacted(_ append: Append, _ outputs: inout [ReplicaOutput]) -> Append? {
        let base = log.base
        guard append.previousIndex < base.index else { return append }
        var rest = append
        let gone = min(Int(base.index - append.previousIndex), append.entries.count)
        rest.entries.removeFirst(gone)
        if rest.entries.isEmpty {
            // Nothing new; what was sent is here.
            let match = append.previousIndex + LogIndex(gone)
            verified = max(verified, match)
            sendWhenDurable(.appendReply(AppendReply(term: term, result: .durable(match))), to: leader!, &outputs)
            return nil
        }
        guard append.entries[gone - 1].digest == base.digest else {
            outputs.append(.halt("entry \(base.index) of term \(base.term), which was committed, exists twice"))
            return nil
        }
        (rest.previousIndex, rest.previousTerm, rest.previousDigest) = (base.index, base.term, base.digest)
        return rest
    }

    /// Where the leader should try next (dissertation, section 3.5).
    private func conflict(before index: LogIndex) -> AppendReply.Result {
        guard let term = log.term(at: index) else {
            return .conflict(at: index, hintIndex: log.lastIndex + 1, hintTerm: 0)
        }
        return .conflict(at: index, hintIndex: log.firstIndex(ofTermAt: index), hintTerm: term)
    }

    /// The entries of an append that are not here yet, in the right order; nil when the append makes no sense.
    private mutating func newEntries(of append: Append, _ outputs: inout [ReplicaOutput]) -> ArraySlice<Entry>? {
        var (index, parent, term) = (append.previousIndex, append.previousDigest, append.previousTerm)
        for entry in append.entries {
            guard entry.index == index + 1, entry.parent == parent, entry.term >= term, entry.term <= append.term else {
                ignoredMessages += 1
                return nil
            }
            (index, parent, term) = (entry.index, entry.digest, entry.term)
        }
        var known = 0
        for entry in append.entries {
            guard let here = log.summary(at: entry.index), here.term == entry.term else { break }
            guard here.digest == entry.digest else {
                outputs.append(.halt("entry \(entry.index) of term \(entry.term) exists twice"))
                return nil
            }
            known += 1
        }
        return append.entries[known...]
    }

    /// False when the leader is not to be believed.
    private mutating func store(_ new: ArraySlice<Entry>, _ outputs: inout [ReplicaOutput]) -> Bool {
        guard let first = new.first else { return true }
        var truncateFrom: LogIndex?
        if first.index <= log.lastIndex {
            guard first.index > commit else {
                outputs.append(.halt("the leader would replace committed entry \(first.index)"))
                return false
            }
            truncateFrom = first.index
            log.truncate(from: first.index)
            disk.truncate(from: first.index)
        }
        for entry in new { log.append(entry) }
        clock.stored(at: now.monotonic)
        persist(truncateFrom: truncateFrom, entries: Array(new), &outputs)
        return true
    }

    /// The leader's commit index holds here as far as this log is known to equal the leader's.
    func commitLimit(_ leaderCommit: LogIndex) -> LogIndex {
        min(leaderCommit, verified)
    }

    mutating func follow(commit leaderCommit: LogIndex, _ outputs: inout [ReplicaOutput]) {
        let limit = commitLimit(leaderCommit)
        guard limit > commit else { return }
        commit = limit
        outputs.append(.committed(commit))
    }
}
