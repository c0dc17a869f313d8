import Consensus
import EventLog
import HeapModule
import NodeEngine

/// Something that will happen to the simulated world.
enum Happening {
    case tick(node: Int)
    /// A turn without inputs, for what the one before left over.
    case deferredTurn(node: Int)
    /// A frame arrives; `stream` numbers the connection that carries it, and a broken one delivers nothing more.
    case arrival(to: Int, from: Int, bytes: [UInt8], channel: PeerChannel, stream: UInt64)
    case syncDone(node: Int, life: UInt64, sync: UInt64)
    case tellMissing(node: Int, life: UInt64)
    case repairTick(node: Int, life: UInt64)
    case combine(node: Int, life: UInt64, BlockCombination)
    case snapshotWork(node: Int, life: UInt64, SnapshotWork)
    case reply(client: Int, number: UInt64, bytes: [UInt8])
    case request(to: Int, client: Int, number: UInt64, bytes: [UInt8], connection: UInt64)
    case clientTurn(Int)
    case watchTurn(Int)
    case watchReply(watcher: Int, connection: UInt64, bytes: [UInt8])
    case hostileTurn
    case disconnect(node: Int, connection: UInt64)
    case start(node: Int)
    /// The disk has room again; a refused node gets its good bytes back.
    case roomAgain(node: Int)
    case restore(node: Int)
    case endScarcity(node: Int)
    case heal(link: Int)
    case healDatagrams(link: Int)
    case healStream(link: Int)
    /// All wall clocks, which were ahead, are set right.
    case correctClocks
    case fault(Fault)
}

/// What goes wrong again and again.
enum Fault: String, CaseIterable {
    case powerLoss = "power loss"
    case blackout, kill, cut
    case datagramCut = "datagram cut"
    case streamCut = "stream cut"
    case deadStream = "dead stream"
    case replay, pause
    case diskStall = "disk stall"
    case diskError = "disk error"
    case fullDisk = "full disk"
    case scarcity
    case rot
    case sharedRot = "shared rot"
    case emptying
    case clientDeath = "client death"
    case clockJump = "clock jump"

    var strikesNode: Bool {
        switch self {
        case .powerLoss, .kill, .pause, .diskStall, .diskError, .fullDisk, .scarcity, .rot, .emptying, .clockJump: true
        case .blackout, .cut, .datagramCut, .streamCut, .deadStream, .replay, .clientDeath, .sharedRot: false
        }
    }

    func mean(in plan: FaultPlan) -> UInt64 {
        switch self {
        case .powerLoss: plan.powerLossEvery
        case .blackout: plan.blackoutEvery
        case .kill: plan.killEvery
        case .cut: plan.cutEvery
        case .datagramCut: plan.datagramCutEvery
        case .streamCut: plan.streamCutEvery
        case .deadStream: plan.deadStreamEvery
        case .replay: plan.replayEvery
        case .pause: plan.pauseEvery
        case .diskStall: plan.diskStallEvery
        case .diskError: plan.diskErrorEvery
        case .fullDisk: plan.fullDiskEvery
        case .scarcity: plan.scarcityEvery
        case .rot: plan.rotEvery
        case .sharedRot: plan.sharedRotEvery
        case .emptying: plan.emptyingEvery
        case .clientDeath: plan.deathEvery
        case .clockJump: plan.clockJumpEvery
        }
    }
}

/// The future, in order; of things at the same time, the one planned first comes first.
struct EventQueue {
    private struct Planned: Comparable {
        var time: UInt64
        var order: UInt64
        var happening: Happening

        static func < (left: Planned, right: Planned) -> Bool { (left.time, left.order) < (right.time, right.order) }
        static func == (left: Planned, right: Planned) -> Bool { left.order == right.order }
    }

    private var heap = Heap<Planned>()
    private var nextOrder: UInt64 = 0

    mutating func plan(_ happening: Happening, at time: UInt64) {
        heap.insert(Planned(time: time, order: nextOrder, happening: happening))
        nextOrder += 1
    }

    mutating func next() -> (time: UInt64, happening: Happening)? {
        heap.popMin().map { ($0.time, $0.happening) }
    }
}
