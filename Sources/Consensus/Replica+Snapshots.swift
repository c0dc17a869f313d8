/// Snapshots stand for the beginning of the log (Raft paper, section 7).
///
/// A follower that needs entries which the leader's log no longer has is offered the leader's newest snapshot. It fetches
/// the pieces outside of the replica, from any peer, and says how far it is whenever it is offered again. Once the whole
/// is on its disk, the log begins anew behind it, in one ordered write.
extension Replica {
    mutating func tookSnapshot(_ taken: SnapshotReference) {
        precondition(taken.index <= applied, "a snapshot at \(taken.index) of a state that stands at \(applied)")
        if taken.index > snapshot?.index ?? 0 { snapshot = taken }
    }

    /// What to offer to a follower that needs the entry after `previous`.
    func offer(behind previous: LogIndex) -> SnapshotOffer? {
        guard let snapshot, snapshot.index >= log.base.index, snapshot.index > previous else { return nil }
        return SnapshotOffer(term: term, snapshot: snapshot)
    }

    mutating func receive(_ offer: SnapshotOffer, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        guard acceptLeader(from, term: offer.term, &outputs) else {
            if offer.term < term {
                let result = AppendReply.Result.conflict(at: offer.snapshot.index, hintIndex: 1, hintTerm: 0)
                outputs.append(.send(to: from, .appendReply(AppendReply(term: term, result: result))))
            }
            return
        }
        heardLeader()
        let last = offer.snapshot.last
        if holds(last) { return confirm(last.index, to: from, &outputs) }
        guard last.index > commit else {
            return outputs.append(.halt("node \(from) has a snapshot of another history, up to entry \(last.index)"))
        }
        // One that is on its way is finished first: a leader that takes snapshots faster than they travel must not keep
        // this node from ever having one.
        if fetching == nil, now.monotonic >= nextFetch {
            fetching = (offer.snapshot, 0)
            outputs.append(.fetchSnapshot(offer.snapshot, from: from))
        }
        let pieces = fetching?.pieces ?? 0
        outputs.append(.send(to: from, .appendReply(AppendReply(term: term, result: .installing(pieces: pieces)))))
    }

    /// A full disk will hardly have room a moment later: all pieces would travel again and again.
    mutating func fetchFailed(_ failed: SnapshotReference) {
        guard fetching?.snapshot == failed else { return }
        fetching = nil
        if room.isShort { nextFetch = now.monotonic + 2 * settings.electionTimeout }
    }

    /// Whether this log has that very history up to there; what was compacted away was committed, and so it was this one.
    private func holds(_ last: EntrySummary) -> Bool {
        last.index < log.base.index || log.digest(at: last.index) == last.digest
    }

    /// Everything up to `index` is committed and here: the leader may go on behind it.
    private mutating func confirm(_ index: LogIndex, to leader: NodeID, _ outputs: inout [ReplicaOutput]) {
        verified = max(verified, index)
        follow(commit: index, &outputs)
        sendWhenDurable(.appendReply(AppendReply(term: term, result: .durable(index))), to: leader, &outputs)
    }

    mutating func install(_ fetched: SnapshotReference, _ outputs: inout [ReplicaOutput]) {
        guard fetching?.snapshot == fetched else { return }
        fetching = nil
        guard !holds(fetched.last) else { return }
        precondition(fetched.index > commit, "a snapshot of another history, up to entry \(fetched.index)")
        // What this log holds beyond its commit index either ends before the snapshot or is another history: none of it
        // was committed. What was acknowledged to this leader stays on disk until the snapshot has taken its place.
        disk.truncate(from: max(verified, commit) + 1)
        log.reset(to: fetched.last)
        clock.stored(at: now.monotonic)
        commit = fetched.index
        applied = fetched.index
        persist(reset: fetched.last, &outputs)
        snapshot = fetched
        // Committed entries are in the log of every later leader (leader completeness).
        verified = fetched.index
        outputs.append(.install(fetched))
        guard let leader, leader != id else { return }
        sendWhenDurable(.appendReply(AppendReply(term: term, result: .durable(fetched.index))), to: leader, &outputs)
    }
}
