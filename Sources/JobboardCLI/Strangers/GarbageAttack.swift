import Consensus

/// Conversations that are wrong somewhere, to clients' and peers' ports.
final class GarbageAttack: Attack {
    private static let patience: Duration = .seconds(2)

    private(set) var tally = AttackTally()
    private let scene: AttackScene
    private var dice: SplitMix64
    private var fuzzer: ConversationFuzzer
    private var clientPace: AttackPace
    private var peerPace: AttackPace
    private var open: [(connection: RawConnection, since: ContinuousClock.Instant)] = []

    init(_ scene: AttackScene, _ dice: SplitMix64) {
        self.scene = scene
        self.dice = dice
        fuzzer = ConversationFuzzer(cluster: scene.cluster, dice: dice)
        clientPace = AttackPace(100, scene)
        peerPace = AttackPace(50, scene)
    }

    func step() {
        for _ in 0..<clientPace.due() {
            let target = scene.targets[tally.connections % scene.targets.count]
            send(fuzzer.hostileConversation(), to: target.clientPort)
        }
        for _ in 0..<peerPace.due() {
            let target = scene.targets[tally.connections % scene.targets.count]
            send(hostileNode(to: target.node), to: target.peerPort)
        }
        for place in open.indices {
            open[place].connection.pump()
            open[place].connection.read(isKept: false)
            if ContinuousClock.now - open[place].since > Self.patience {
                open[place].connection.close()
            } else if open[place].connection.isClosed {
                tally.closed += 1
            }
        }
        open.removeAll { $0.connection.isClosed }
    }

    private func send(_ bytes: [UInt8], to port: Int) {
        guard open.count < 500, let connection = RawConnection(to: port, from: UInt8.random(in: 10...13, using: &dice)) else {
            return
        }
        tally.connections += 1
        tally.sent += 1
        tally.sentBytes += bytes.count
        connection.send(bytes)
        open.append((connection, .now))
    }

    /// Says that it is another node, which it can't prove.
    private func hostileNode(to node: UInt64) -> [UInt8] {
        let from = scene.targets.first { $0.node != node }?.node ?? 1
        let hello = StrangerSpeech.peerHello(cluster: scene.cluster, from: from, to: node, &dice)
        let garbage = StrangerBytes.random(Int.random(in: 1...5000, using: &dice), &dice)
        return switch UInt8.random(in: 0...4, using: &dice) {
        case 0: garbage
        case 1: hello + garbage
        case 2: hello + StrangerSpeech.peerProof(&dice) + garbage
        case 3: hello + hello + hello
        default: StrangerBytes.mutated(hello, &dice)
        }
    }
}
