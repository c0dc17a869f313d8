import Consensus
import Jobboard
import WireFormat

/// Posts as much as one post may hold, again and again, and nobody consumes it. Up to a total, for the disks' sake; the
/// text compresses well, so that the logs stay small and memory does not.
final class ProducerAttack: Attack {
    static let board = "strangers"
    private static let jobBytes = 250 << 10
    private static let jobsInPost = 16

    private(set) var tally = AttackTally()
    private let crowd: AttackCrowd
    private let totalBytes: Int
    private var dice: SplitMix64
    private var conversation: AttackConversation?
    private var session: UInt64?
    private var sequence: UInt64 = 0
    private var isWaiting = false
    private var postedBytes = 0
    private var pace: AttackPace

    init(_ scene: AttackScene, _ dice: SplitMix64, totalBytes: Int? = nil) {
        self.dice = dice
        self.totalBytes = totalBytes ?? scene.producerBytes
        crowd = AttackCrowd(scene, size: 1, source: 70, perSecond: 5)
        pace = AttackPace(10, scene)
    }

    var isDone: Bool { postedBytes >= totalBytes }

    func step() {
        crowd.refill(&tally) { conversation, tally in
            self.conversation = conversation
            session = nil
            sequence = 0
            isWaiting = true
            conversation.send(StrangerSpeech.openSession(&dice), &tally)
        }
        guard let conversation else { return }
        conversation.read(&tally) { _, response in
            isWaiting = false
            if let opened = StrangerSpeech.openedSession(response) { session = opened }
            if case .outcome(.posted) = response { postedBytes += Self.jobsInPost * Self.jobBytes }
        }
        guard let session, !isWaiting, !isDone, pace.due() > 0 else { return }
        let text = Array("\"\(String(repeating: "d", count: Self.jobBytes - 2))\"".utf8)
        let jobs = (0..<Self.jobsInPost).map { _ in NewJob(id: .random(using: &dice), name: "heavy", details: text) }
        sequence += 1
        isWaiting = true
        conversation.send(
            StrangerSpeech.command(
                .post(board: Self.board, jobs: jobs), session: session, sequence: sequence, acknowledgedBelow: sequence), &tally)
    }
}
