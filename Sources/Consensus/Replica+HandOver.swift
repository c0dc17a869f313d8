/// A leader that should not lead any longer, and a follower that is to take its place.
struct HandOver: Sendable, Equatable {
    var heir: NodeID
    var since: UInt64
    /// The heir has been told to stand.
    var isAsked = false
}

/// Leadership is handed over (dissertation, section 3.10) when the leader's disk is short of room and another's is not, or
/// when its process is to end.
///
/// The leader proposes nothing more until the heir's log equals its own on disk, and then asks it to stand at once. The heir's
/// question for votes says that the leader wants it, so voters answer although they hear a leader. Nothing else about the
/// election is different: votes are given by the same rules. What does not come about within an election timeout is given up.
extension Replica {
    /// Nothing is to be proposed.
    package var isHandingOver: Bool {
        guard case .leader(let leadership) = role else { return false }
        return leadership.handOver != nil
    }

    /// Begins a hand-over where there is reason for one, and gives up one that takes too long.
    mutating func considerHandOver(_ outputs: inout [ReplicaOutput]) {
        guard case .leader(var leadership) = role else { return }
        if let handOver = leadership.handOver {
            guard now.monotonic - handOver.since > settings.electionTimeout else { return finishHandOver(&outputs) }
            leadership.handOver = nil
            leadership.nextHandOver = now.monotonic + 4 * settings.electionTimeout
            role = .leader(leadership)
        } else if room.isShort || isLeaving, termIsOpen, now.monotonic >= leadership.nextHandOver, let heir = heir(leadership) {
            leadership.handOver = HandOver(heir: heir, since: now.monotonic)
            role = .leader(leadership)
            finishHandOver(&outputs)
        }
    }

    /// Who is fit to lead: before all one who has room, and then who lacks least.
    private func heir(_ leadership: Leadership) -> NodeID? {
        let fit = configuration.voters.indices.filter { place in
            let follower = leadership.followers[place]
            return configuration.voters[place] != id && isFit(follower) && follower.match >= leadership.termStart
        }
        func worth(_ place: Int) -> (UInt64, LogIndex) {
            let follower = leadership.followers[place]
            return (follower.room?.isShort == false ? 1 : 0, follower.match)
        }
        return fit.max { worth($0) < worth($1) }.map { configuration.voters[$0] }
    }

    /// It has room and was heard lately. Of a node that leaves anybody is good enough.
    private func isFit(_ follower: Progress) -> Bool {
        guard let room = follower.room, isLeaving || !room.isShort else { return false }
        return now.monotonic - follower.lastHeard <= settings.electionTimeout
    }

    /// The heir has everything: it is told to stand. One that has lost its room meanwhile makes way for another.
    mutating func finishHandOver(_ outputs: inout [ReplicaOutput]) {
        guard case .leader(var leadership) = role, let handOver = leadership.handOver, !handOver.isAsked,
            let place = configuration.place(of: handOver.heir)
        else { return }
        if !isFit(leadership.followers[place]) {
            leadership.handOver = nil
        } else if leadership.followers[place].match == log.lastIndex {
            leadership.handOver?.isAsked = true
            outputs.append(.send(to: handOver.heir, .takeOver(TakeOver(term: term, lastIndex: log.lastIndex))))
        }
        role = .leader(leadership)
    }

    /// The leader wants this node to lead. One that comes late, or from another, means nothing.
    mutating func receive(_ wish: TakeOver, from: NodeID, _ outputs: inout [ReplicaOutput]) {
        guard wish.term == term, leader == from, role == .follower, log.lastIndex >= wish.lastIndex else { return }
        setRetryDeadline()
        startElection(isHandOver: true, &outputs)
    }
}
