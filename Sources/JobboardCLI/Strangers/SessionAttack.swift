import Consensus
import Jobboard
import WireFormat

/// Opens sessions as fast as it may, and closes those of others by guessing their numbers.
final class SessionAttack: Attack {
    private(set) var tally = AttackTally()
    private var dice: SplitMix64
    private let crowd: AttackCrowd
    private var openPace: AttackPace
    private var guessPace: AttackPace

    init(_ scene: AttackScene, _ dice: SplitMix64) {
        self.dice = dice
        crowd = AttackCrowd(scene, size: 4, source: 30)
        openPace = AttackPace(20_000, scene)
        guessPace = AttackPace(1000, scene)
    }

    func step() {
        crowd.refill(&tally)
        for member in crowd.members { member.read(&tally) }
        guard let member = crowd.members.randomElement(using: &dice), !member.connection.hasUnsent else { return }
        for _ in 0..<openPace.due() { member.send(StrangerSpeech.openSession(local: dice.next() >> 32, &dice), &tally) }
        for _ in 0..<guessPace.due() {
            let session = UInt64.random(in: 1...2000, using: &dice)
            member.send(StrangerSpeech.command(.closeSession, session: session, sequence: .max), &tally)
        }
    }
}
