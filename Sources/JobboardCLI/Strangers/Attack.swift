import Consensus
import Foundation
import Synchronization

/// One kind of hostile behaviour. It lives on a thread of its own, which calls `step` a hundred times a second.
protocol Attack: AnyObject {
    /// A small, bounded piece of hostile work.
    func step()
    var tally: AttackTally { get }
}

/// What an attack has done so far.
struct AttackTally: Sendable, Equatable {
    /// Connections that were begun.
    var connections = 0
    /// Requests, conversations or datagrams sent.
    var sent = 0
    var sentBytes = 0
    /// Answers that granted what was asked.
    var answered = 0
    /// Answers that refused it.
    var refused = 0
    /// Connections that the node closed.
    var closed = 0
}

/// Which attacks there are.
enum AttackKind: String, CaseIterable, Sendable {
    case connections
    case garbage
    case datagrams
    case parked
    case sessions
    case lists
    case big
    case retained
    case producers
    case log

    /// What it does, for the help.
    var what: String {
        switch self {
        case .connections: "silent, half-greeted, slow and short connections to all ports"
        case .garbage: "conversations with random and mutated bytes"
        case .datagrams: "datagrams that no node has sealed"
        case .parked: "tens of thousands of parked claims and waits on boards that don't exist"
        case .sessions: "sessions opened as fast as possible, and others' closed"
        case .lists: "pages and watches that are asked for and never read"
        case .big: "requests as large as a frame may be"
        case .retained: "answers with 256 KiB of details that are never acknowledged"
        case .producers: "jobs of 4 MiB a post that nobody consumes"
        case .log: "nobody reads the standard error of node 1"
        }
    }

    /// Nil for what is done to a node at its start.
    func make(_ scene: AttackScene, _ dice: SplitMix64) -> (any Attack)? {
        switch self {
        case .connections: ConnectionAttack(scene, dice)
        case .garbage: GarbageAttack(scene, dice)
        case .datagrams: DatagramAttack(scene, dice)
        case .parked: ParkedAttack(scene, dice)
        case .sessions: SessionAttack(scene, dice)
        case .lists: ListAttack(scene, dice)
        case .big: BigRequestAttack(scene, dice)
        case .retained: RetainedAttack(scene, dice)
        case .producers: ProducerAttack(scene, dice)
        case .log: nil
        }
    }
}

/// What attacks know: where the nodes are, who leads, how hard to attack, and when it is over.
final class AttackScene: Sendable {
    struct Target: Sendable {
        var node: UInt64
        var clientPort: Int
        var peerPort: Int
    }

    private struct State {
        var isOver = false
        var leader = 0
        var tallies: [AttackKind: AttackTally] = [:]
    }

    let cluster: String
    let targets: [Target]
    /// In per cent of the usual rates.
    let rate: Int
    /// Descriptors that the attacks may use together.
    let descriptors: Int
    /// Bytes of details that `producers` may post.
    let producerBytes: Int
    private let state = Mutex(State())

    init(cluster: String, targets: [Target], rate: Int, descriptors: Int, producerBytes: Int) {
        self.cluster = cluster
        self.targets = targets
        self.rate = rate
        self.descriptors = descriptors
        self.producerBytes = producerBytes
    }

    /// The node that was last seen to lead.
    var leader: Target { targets[state.withLock { $0.leader }] }

    func setLeader(_ node: UInt64) {
        guard let place = targets.firstIndex(where: { $0.node == node }) else { return }
        state.withLock { $0.leader = place }
    }

    var isOver: Bool { state.withLock { $0.isOver } }
    func end() { state.withLock { $0.isOver = true } }

    var tallies: [AttackKind: AttackTally] { state.withLock { $0.tallies } }

    /// Runs one attack on a thread of its own until the scene ends.
    func run(_ kind: AttackKind, seed: UInt64) async {
        await withCheckedContinuation { (finished: CheckedContinuation<Void, Never>) in
            Thread.detachNewThread { [self] in
                if let attack = kind.make(self, SplitMix64(seed: seed)) {
                    while !isOver {
                        attack.step()
                        state.withLock { $0.tallies[kind] = attack.tally }
                        usleep(AttackPace.stepMicroseconds)
                    }
                }
                finished.resume()
            }
        }
    }
}

/// How many times something may be done now, so that it is done so often a second.
struct AttackPace {
    static let stepMicroseconds: UInt32 = 10_000

    private let perSecond: Double
    private var credit = 0.0
    private var last = ContinuousClock.now

    /// - Parameter perSecond: at a rate of 100 %.
    init(_ perSecond: Double, _ scene: AttackScene) {
        self.perSecond = perSecond * Double(scene.rate) / 100
    }

    /// What was not done in time is made up for, up to a tenth of a second of it.
    mutating func due() -> Int {
        let now = ContinuousClock.now
        credit = min(credit + perSecond * (now - last).inSeconds, max(1, perSecond / 10))
        last = now
        let whole = Int(credit)
        credit -= Double(whole)
        return whole
    }
}
