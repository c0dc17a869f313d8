import Consensus
import Jobboard
import WireFormat

/// A connection on which requests are sent and, mostly, answers are counted.
final class AttackConversation {
    let connection: RawConnection
    private var nextNumber: UInt64 = 1
    private var hasHeard = false
    /// The node said that another one leads; then the conversation is over.
    private(set) var isMisplaced = false

    /// Connects and greets; nil when there are no descriptors left.
    init?(_ scene: AttackScene, to target: AttackScene.Target, from source: UInt8, receiveBuffer: Int32? = nil) {
        guard let connection = RawConnection(to: target.clientPort, from: source, receiveBuffer: receiveBuffer) else {
            return nil
        }
        self.connection = connection
        connection.send(StrangerSpeech.hello(cluster: scene.cluster))
    }

    /// The term that the node leads, as it said.
    private var term: UInt64 = 0

    var isClosed: Bool { connection.isClosed }

    /// Sends a request under the next number and gives that.
    @discardableResult
    func send(_ request: Request, _ tally: inout AttackTally) -> UInt64 {
        let number = nextNumber
        nextNumber += 1
        var bytes: [UInt8] = []
        ClientCodec.append(StrangerSpeech.addressed(request, to: term), number: number, to: &bytes)
        send(bytes, &tally)
        return number
    }

    func send(_ bytes: [UInt8], _ tally: inout AttackTally) {
        tally.sent += 1
        tally.sentBytes += bytes.count
        connection.send(bytes)
    }

    private static func decode(_ frame: [UInt8]) -> (UInt64, Response)? {
        frame.withUnsafeBytes { bytes -> (UInt64, Response)? in
            guard let (number, response) = try? ClientCodec.decodeResponse(bytes) else { return nil }
            return (number, response)
        }
    }

    /// Reads answers, counts them and hands them on.
    func read(_ tally: inout AttackTally, _ body: (UInt64, Response) -> Void = { _, _ in }) {
        connection.pump()
        connection.read(isKept: true)
        while let frame = connection.nextFrame() {
            guard hasHeard else {
                hasHeard = true
                term = frame.withUnsafeBytes { try? ClientCodec.decodeHello($0).term } ?? 0
                continue
            }
            guard let (number, response) = Self.decode(frame) else { continue }
            switch response {
            case .otherTerm(let newTerm):
                term = newTerm
                tally.refused += 1
            case .failed, .outcome(.refused), .notLeader: tally.refused += 1
            default: tally.answered += 1
            }
            body(number, response)
            guard case .notLeader = response else { continue }
            isMisplaced = true
            return connection.close()
        }
    }
}

/// Some conversations that are replaced when the node closes them, no more often than so many a second.
final class AttackCrowd {
    private(set) var members: [AttackConversation] = []
    private let scene: AttackScene
    private let size: Int
    private let source: UInt8
    private let receiveBuffer: Int32?
    private let toLeader: Bool
    private var pace: AttackPace
    private var nextTarget = 0

    /// - Parameters:
    ///   - source: see `RawConnection`.
    ///   - toLeader: only to the node that leads; else to all in turn.
    init(
        _ scene: AttackScene, size: Int, source: UInt8, perSecond: Double = 20, toLeader: Bool = true, receiveBuffer: Int32? = nil
    ) {
        self.scene = scene
        self.size = size
        self.source = source
        self.toLeader = toLeader
        self.receiveBuffer = receiveBuffer
        pace = AttackPace(perSecond, scene)
    }

    /// Takes out the closed ones and calls `begin` with each new one.
    func refill(_ tally: inout AttackTally, _ begin: (AttackConversation, inout AttackTally) -> Void = { _, _ in }) {
        tally.closed += members.count { $0.isClosed && !$0.isMisplaced }
        members.removeAll { $0.isClosed }
        for _ in 0..<min(pace.due(), size - members.count) {
            let target = toLeader ? scene.leader : scene.targets[nextTarget % scene.targets.count]
            nextTarget += 1
            guard let member = AttackConversation(scene, to: target, from: source, receiveBuffer: receiveBuffer) else { return }
            tally.connections += 1
            begin(member, &tally)
            members.append(member)
        }
    }
}
