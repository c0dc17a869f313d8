import Consensus
import Jobboard
import WireFormat

/// Asks for large pages and for all events, one behind the other, and never reads what comes.
final class ListAttack: Attack {
    private static let pipelined = 64

    private(set) var tally = AttackTally()
    private let crowd: AttackCrowd
    private let filler: ProducerAttack

    init(_ scene: AttackScene, _ dice: SplitMix64) {
        crowd = AttackCrowd(scene, size: 120, source: 40, perSecond: 30, toLeader: false, receiveBuffer: 4096)
        filler = ProducerAttack(scene, dice, totalBytes: 8 << 20)
    }

    func step() {
        // Something to list.
        if !filler.isDone { filler.step() }
        crowd.refill(&tally) { conversation, tally in
            if tally.connections.isMultiple(of: 2) {
                for place in 0..<Self.pipelined {
                    let query = JobsQuery(board: ProducerAttack.board, limit: 10_000)
                    conversation.send(.read(.jobs(query), fresh: place.isMultiple(of: 2)), &tally)
                }
            } else {
                for _ in 0..<8 { conversation.send(.watch(board: nil, from: 1), &tally) }
            }
        }
        for member in crowd.members {
            member.connection.pump()
            member.connection.look()
        }
    }
}
