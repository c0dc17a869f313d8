import Consensus
import Jobboard
import WireFormat

/// Holds a job with 256 KiB of details and extends it again and again, and never says that it has the answers.
final class RetainedAttack: Attack {
    private(set) var tally = AttackTally()
    private let crowd: AttackCrowd
    private var pace: AttackPace
    private var dice: SplitMix64
    private var conversation: AttackConversation?
    private var session: UInt64?
    private var sequence: UInt64 = 0
    private var isHolding = false
    private var job = JobID(high: 0, low: 0)

    init(_ scene: AttackScene, _ dice: SplitMix64) {
        self.dice = dice
        crowd = AttackCrowd(scene, size: 1, source: 60, perSecond: 1)
        pace = AttackPace(200, scene)
    }

    func step() {
        crowd.refill(&tally) { conversation, tally in
            self.conversation = conversation
            session = nil
            isHolding = false
            sequence = 0
            conversation.send(StrangerSpeech.openSession(&dice), &tally)
        }
        guard let conversation, !conversation.isClosed else { return }
        // Each step waits for the answer to the one before: a node refuses at once what does not fit what it knows.
        var responses: [Response] = []
        conversation.read(&tally) { responses.append($1) }
        for response in responses {
            if let opened = StrangerSpeech.openedSession(response) {
                session = opened
                post(conversation)
            }
            if case .outcome(.posted) = response {
                send(.claim(job: job, who: "stranger", leaseMilliseconds: 600_000), conversation)
            }
            if case .outcome(.claimed) = response { isHolding = true }
        }
        guard isHolding else { return }
        // As many as a session remembers, and then a new session.
        guard sequence < 4090 else { return conversation.connection.close() }
        for _ in 0..<pace.due() where !conversation.connection.hasUnsent {
            send(.extend(Holder(job: job, who: "stranger"), leaseMilliseconds: 600_000), conversation)
        }
    }

    private func post(_ conversation: AttackConversation) {
        job = JobID.random(using: &dice)
        let text = "\"" + String(repeating: "d", count: (256 << 10) - 2) + "\""
        send(.post(board: "retained", jobs: [NewJob(id: job, name: "held", details: Array(text.utf8))]), conversation)
    }

    private func send(_ command: Command, _ conversation: AttackConversation) {
        sequence += 1
        conversation.send(StrangerSpeech.command(command, session: session ?? 0, sequence: sequence), &tally)
    }
}
