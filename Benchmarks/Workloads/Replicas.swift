import Consensus
import EventLog

extension Workload {
    static let replicas = [
        Workload("step: a leader of three proposes, persists, commits") {
            var leader = electedLeader()
            return { times in
                var outputs: [ReplicaOutput] = []
                for _ in 0..<times { commit(Samples.details, at: &leader, &outputs) }
                precondition(leader.replica.commit == leader.replica.log.lastIndex)
            }
        }
    ]
}

private struct Leader {
    var replica: Replica
    var now: UInt64 = 1000
}

private func commit(_ payload: [UInt8], at leader: inout Leader, _ outputs: inout [ReplicaOutput]) {
    leader.now += 1
    let moment = Moment(monotonic: leader.now, wall: leader.now)
    outputs.removeAll(keepingCapacity: true)
    leader.replica.step(.propose(kind: .commands, payload: payload, commandCount: 1), at: moment, into: &outputs)
    let index = leader.replica.log.lastIndex
    for peer in [NodeID(2), NodeID(3)] {
        let reply = AppendReply(term: leader.replica.term, result: .durable(index))
        leader.replica.step(.message(from: peer, .appendReply(reply)), at: moment, into: &outputs)
    }
    for case .persist(let write) in outputs { leader.replica.step(.persisted(upTo: write.number), at: moment, into: &outputs) }
    leader.replica.step(.applied(leader.replica.commit), at: moment, into: &outputs)
}

/// A leader of three whose followers are played by the caller.
private func electedLeader() -> Leader {
    let voters = [NodeID(1), NodeID(2), NodeID(3)]
    var replica = Replica(
        id: voters[0], configuration: Configuration(voters: voters), sealer: Sealer { BlockCodec.seal($0, cluster: 1) }, seed: 1,
        now: Moment(monotonic: 0, wall: 0))
    var outputs: [ReplicaOutput] = []
    let moment = Moment(monotonic: 1000, wall: 1000)
    replica.step(.tick, at: moment, into: &outputs)
    let yes = PreVoteReply(term: 0, askedTerm: 1, granted: true)
    replica.step(.message(from: voters[1], .preVoteReply(yes)), at: moment, into: &outputs)
    replica.step(.persisted(upTo: 1), at: moment, into: &outputs)
    let vote = VoteReply(term: 1, granted: true, wall: 1000)
    replica.step(.message(from: voters[1], .voteReply(vote)), at: moment, into: &outputs)
    precondition(replica.isLeader)
    replica.step(.persisted(upTo: 2), at: moment, into: &outputs)
    return Leader(replica: replica)
}
