import Consensus
import Jobboard
import WireFormat

/// Tens of thousands of requests that are parked on a few connections and that nothing ends: two waits for each claim, all of
/// boards that have no jobs.
struct Bystanders {
    private static let connections = 16
    /// Sent at a time, and then the connection's answers are read.
    private static let batch = 500

    private final class Line {
        let conversation: AttackConversation
        var isOpen = false
        var left: Int
        var sequence: UInt64 = 0
        /// A read behind the last request: its answer says that the node has taken all of them.
        var check: UInt64?
        var isParked = false

        init(_ conversation: AttackConversation, _ count: Int) {
            self.conversation = conversation
            left = count
        }
    }

    private var lines: [Line] = []
    private var dice = SplitMix64(seed: 2)
    private var tally = AttackTally()

    init(_ scene: AttackScene, waits: Int) {
        guard waits > 0 else { return }
        for place in 0..<Self.connections {
            let count = waits / Self.connections + (place < waits % Self.connections ? 1 : 0)
            guard let conversation = AttackConversation(scene, to: scene.leader, from: 250) else { continue }
            conversation.send(StrangerSpeech.openSession(&dice), &tally)
            lines.append(Line(conversation, count))
        }
    }

    var areParked: Bool { lines.allSatisfy(\.isParked) }

    /// Goes on parking; gives the number of answers that nobody should have got, and of connections that were closed.
    mutating func turn() -> Int {
        var unexpected = 0
        for line in lines {
            line.conversation.read(&tally) { number, response in
                if StrangerSpeech.openedSession(response) != nil, !line.isOpen {
                    line.isOpen = true
                } else if number == line.check {
                    line.isParked = true
                } else {
                    unexpected += 1
                }
            }
            if line.isOpen, line.check == nil, !line.conversation.connection.hasUnsent { park(line) }
        }
        unexpected += lines.count { $0.conversation.isClosed }
        lines.removeAll { $0.conversation.isClosed }
        return unexpected
    }

    private mutating func park(_ line: Line) {
        for _ in 0..<min(Self.batch, line.left) {
            line.left -= 1
            let board = "nowhere-\(dice.next() % 100_000)"
            guard line.left.isMultiple(of: 3) else {
                line.conversation.send(.waitForClaimable(board: board, milliseconds: 3_000_000), &tally)
                continue
            }
            line.sequence += 1
            let claim = ClaimNext(board: board, who: "bystander", name: "name-\(dice.next() % 100_000)")
            line.conversation.send(
                StrangerSpeech.command(
                    .claimNext(claim), session: 1, sequence: line.sequence, acknowledgedBelow: line.sequence,
                    waitMilliseconds: 3_000_000), &tally)
        }
        guard line.left == 0 else { return }
        line.check = line.conversation.send(.read(.count(board: "nowhere", state: nil), fresh: true), &tally)
    }
}
