import Consensus
import Jobboard
import WireFormat

/// Tens of thousands of parked claims and waits on few connections, on boards that don't exist, and then cancelled.
final class ParkedAttack: Attack {
    private static let connections = 16
    private static let mostOpen = 80_000

    private final class Line {
        let conversation: AttackConversation
        var session: UInt64?
        var sequence: UInt64 = 0
        /// Request numbers that stand open, the oldest first.
        var open: [UInt64] = []

        init(_ conversation: AttackConversation) { self.conversation = conversation }
    }

    private(set) var tally = AttackTally()
    private var dice: SplitMix64
    private let crowd: AttackCrowd
    private var lines: [Line] = []
    private var parkPace: AttackPace
    private var cancelPace: AttackPace

    init(_ scene: AttackScene, _ dice: SplitMix64) {
        self.dice = dice
        crowd = AttackCrowd(scene, size: Self.connections, source: 20)
        parkPace = AttackPace(10_000, scene)
        cancelPace = AttackPace(2000, scene)
    }

    func step() {
        crowd.refill(&tally) { conversation, tally in
            conversation.send(StrangerSpeech.openSession(&dice), &tally)
            lines.append(Line(conversation))
        }
        lines.removeAll { $0.conversation.isClosed }
        for line in lines {
            line.conversation.read(&tally) { number, response in
                if let session = StrangerSpeech.openedSession(response) { line.session = session }
                if number == line.open.first { line.open.removeFirst() }
            }
        }
        let due = parkPace.due()
        if lines.reduce(0, { $0 + $1.open.count }) < Self.mostOpen { for _ in 0..<due { park() } }
        for _ in 0..<cancelPace.due() { cancel() }
    }

    private func park() {
        guard let line = lines.randomElement(using: &dice), !line.conversation.connection.hasUnsent else { return }
        let board = "nowhere-\(UInt32.random(in: 0...100_000, using: &dice))"
        if let session = line.session, Bool.random(using: &dice) {
            line.sequence += 1
            let claim = ClaimNext(
                board: Bool.random(using: &dice) ? board : ProducerAttack.board, who: "stranger",
                name: "name-\(UInt32.random(in: 0...100_000, using: &dice))")
            let request = StrangerSpeech.command(
                .claimNext(claim), session: session, sequence: line.sequence, acknowledgedBelow: line.sequence,
                waitMilliseconds: 60_000)
            line.open.append(line.conversation.send(request, &tally))
        } else {
            line.open.append(line.conversation.send(.waitForClaimable(board: board, milliseconds: 60_000), &tally))
        }
    }

    private func cancel() {
        guard let line = lines.randomElement(using: &dice), !line.open.isEmpty else { return }
        // From the middle too, where a list would be slow.
        let place = Int.random(in: 0..<min(1000, line.open.count), using: &dice)
        line.conversation.send(.cancel(line.open.remove(at: place)), &tally)
    }
}
