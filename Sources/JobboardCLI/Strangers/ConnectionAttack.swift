import Consensus
import WireFormat

/// Connections that cost a node something and bring it nothing: silent ones, half a greeting, a byte a second, and short ones.
final class ConnectionAttack: Attack {
    private(set) var tally = AttackTally()
    private let scene: AttackScene
    private var dice: SplitMix64
    private var held: [RawConnection] = []
    private var slow: [(connection: RawConnection, rest: ArraySlice<UInt8>)] = []
    private var silentPace: AttackPace
    private var halfPace: AttackPace
    private var churnPace: AttackPace
    private var slowPace: AttackPace
    private var bytePace: AttackPace
    private var lookPace: AttackPace
    private let mostHeld: Int

    init(_ scene: AttackScene, _ dice: SplitMix64) {
        self.scene = scene
        self.dice = dice
        silentPace = AttackPace(2000, scene)
        halfPace = AttackPace(100, scene)
        churnPace = AttackPace(200, scene)
        slowPace = AttackPace(20, scene)
        bytePace = AttackPace(1, scene)
        lookPace = AttackPace(5, scene)
        mostHeld = scene.descriptors * 3 / 5
    }

    func step() {
        for _ in 0..<min(silentPace.due(), mostHeld - held.count) { hold([]) }
        for _ in 0..<min(halfPace.due(), mostHeld - held.count) {
            let hello = StrangerSpeech.hello(cluster: scene.cluster)
            hold(Array(hello.prefix(Int.random(in: 1..<hello.count, using: &dice))))
        }
        for _ in 0..<churnPace.due() {
            let connection = connect()
            if Bool.random(using: &dice) { connection?.reset() } else { connection?.close() }
        }
        for _ in 0..<min(slowPace.due(), 200 - slow.count) { beginSlow() }
        if bytePace.due() > 0 { drip() }
        if lookPace.due() > 0 { forgetClosed() }
    }

    /// To a client's or a peer's port of any node, in turn.
    private func connect() -> RawConnection? {
        let target = scene.targets[tally.connections / 2 % scene.targets.count]
        let port = tally.connections.isMultiple(of: 2) ? target.peerPort : target.clientPort
        tally.connections += 1
        return RawConnection(to: port, from: UInt8.random(in: 2...9, using: &dice))
    }

    private func hold(_ bytes: [UInt8]) {
        guard let connection = connect() else { return }
        connection.send(bytes)
        tally.sentBytes += bytes.count
        held.append(connection)
    }

    private func beginSlow() {
        var bytes = StrangerSpeech.hello(cluster: scene.cluster)
        for number: UInt64 in 1...100 { ClientCodec.append(.read(.status, fresh: false), number: number, to: &bytes) }
        guard let connection = connect() else { return }
        // Half of them say hello at once and are slow only then.
        let start = Bool.random(using: &dice) ? StrangerSpeech.hello(cluster: scene.cluster).count : 0
        connection.send(Array(bytes[..<start]))
        slow.append((connection, bytes[start...]))
    }

    private func drip() {
        for place in slow.indices {
            guard let byte = slow[place].rest.popFirst() else { continue }
            slow[place].connection.send([byte])
            tally.sentBytes += 1
        }
    }

    private func forgetClosed() {
        for connection in held { connection.look() }
        for (connection, _) in slow { connection.read(isKept: false) }
        let before = held.count + slow.count
        held.removeAll { $0.isClosed }
        slow.removeAll { $0.connection.isClosed }
        tally.closed += before - held.count - slow.count
    }
}
