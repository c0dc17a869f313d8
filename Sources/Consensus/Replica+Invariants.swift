extension Replica {
    /// What must be true of one replica at any moment. Relations between nodes are the simulator's to check.
    package func checkInvariants() {
        precondition(applied <= commit, "applied \(applied) is past commit \(commit)")
        precondition(log.base.index <= applied, "the log begins behind \(log.base.index), past what was applied, \(applied)")
        precondition(
            log.base.index <= snapshot?.index ?? 0, "the log begins behind \(log.base.index) and no snapshot reaches there")
        precondition(commit <= log.lastIndex, "commit \(commit) is past the end \(log.lastIndex)")
        precondition(disk.durableIndex <= log.lastIndex, "durable \(disk.durableIndex) is past the end \(log.lastIndex)")
        precondition(log.lastTerm <= term, "the log has term \(log.lastTerm), the node \(term)")
        precondition(verified <= log.lastIndex, "verified \(verified) is past the end \(log.lastIndex)")
        precondition(log.cacheStart <= applied + 1, "entry \(applied + 1) is needed and not in memory")
        switch role {
        case .leader(let leadership):
            precondition(leader == id, "a leader knows that it leads")
            precondition(leadership.followers.count == configuration.voters.count, "one place a voter")
            for follower in leadership.followers {
                precondition(follower.match < follower.next && follower.next <= log.lastIndex + 1, "match, next, end in order")
                precondition(follower.inFlight.count <= settings.inFlightBlocks, "too many appends under way")
            }
        case .candidate:
            precondition(leader == nil && hardState.vote == id, "a candidate follows nobody and votes for itself")
        case .preCandidate:
            precondition(leader == nil, "who asks for a pre-vote follows nobody")
        case .follower:
            precondition(leader != id, "a follower does not lead")
        }
    }
}
