import Consensus
import EventLog
import NodeEngine
import NodeStorage

/// One node of the simulated world: the shipped engine, log and recovery over a simulated disk.
struct SimulatedNode {
    let id: NodeID
    let disk = SimulatedDisk()
    var truth = DurableTruth()
    /// Counts the starts; what an earlier life ordered must not reach a later one.
    var life: UInt64 = 0
    var engine: Engine?
    var log: EventLog?
    var desk: SnapshotDesk?
    /// The snapshot that is being written.
    var snapshotUnderWay: SnapshotWork?
    var ordered: [LogWrite] = []
    var isSyncing = false
    /// So many of the ordered writes, at most, are done when the sync that is under way ends.
    var syncing = 0
    /// Counts them; a sync that was planned anew is not to end twice.
    var syncs: UInt64 = 0
    /// It has work left over from its last turn, and another turn is planned.
    var isTurnPlanned = false
    /// The process stands still until then, in microseconds.
    var pausedUntil: UInt64 = 0
    /// The disk answers nothing until then, in microseconds.
    var stalledUntil: UInt64 = 0
    /// The power fails in the middle of the next write.
    var losesPowerInNextWrite = false
    /// The call on its disk that is to fail, once.
    var failingCall: SimulatedDisk.Call?
    /// What its log last said that the disk can take.
    var room = Room.ample
    /// It found acknowledged bytes damaged and does not start until it gets them back.
    var isRefused = false
    /// It has started since its disk rotted: all that it needs is there.
    var isHealed = false
    /// All that its folder held is gone.
    var isEmptied = false
    /// It has taken part, and its disk remembers that.
    var hasBegun = false
    /// All others have just said that nothing has happened yet.
    var isBeginning = false
    /// It found acknowledged bytes damaged and asks its peers for them.
    var repair: NodeRepair?
    /// What it says its memory can take; 0 for no limit.
    var memoryBytes: UInt64 = 0
    /// How far its wall clock is off, in milliseconds.
    var clockSkew: Int64 = 0
    /// Its monotonic clock when it stored the last entry of its log, or opened its folder since.
    var lastStored: UInt64 = 0
    /// How fast its clocks run, in thousandths.
    var clockRate: UInt64 = 1000

    /// Small, so that a snapshot has several.
    private static let chunkBytes = 512

    var isRunning: Bool { engine != nil }
    /// Its process is there, if only to be repaired.
    var isUp: Bool { isRunning || repair != nil }
    /// What rotted is not yet known to be whole again elsewhere on its disk.
    var isDamaged: Bool { hasLost && !isHealed }
    /// Its disk does not hold what it should.
    var hasLost: Bool { disk.isRotten || isEmptied || !hasBegun }

    init(id: NodeID) {
        self.id = id
    }

    func moment(_ time: UInt64) -> Moment {
        let passed = time / 1000 * clockRate / 1000
        return Moment(monotonic: passed, wall: UInt64(Int64(1_700_000_000_000 + passed) + clockSkew))
    }

    /// Starts the process on what its disk holds. True when recovery had to cut off a torn tail.
    mutating func start(
        voters: [NodeID], settings given: EngineSettings, options: EventLogOptions, time: UInt64, seed: UInt64
    ) throws -> Bool {
        precondition(!isUp, "node \(id) runs already")
        var settings = given
        settings.replica.memoryBytes = memoryBytes
        life += 1
        defer { isBeginning = false }
        try expectRefusal(ofWrongFileFor: voters, settings, options, time, seed)
        // Its operator may say at one start that the folder was emptied, and at another one not.
        let isTold = seed % 2 == 0
        let found = try NodeRecovery.open(
            on: disk, node: id, voters: voters, settings: settings, options: options, chunkBytes: Self.chunkBytes,
            emptyLog: isBeginning ? .beginning : isEmptied && isTold ? .lost : .unexplained, seed: seed, now: moment(time))
        guard case .whole(let node) = found else {
            if case .damaged(let repair) = found { self.repair = repair }
            return false
        }
        try truth.recover(
            node.recovery.hardState, behind: node.engine.replica.log.base.index, node.engine.replica.log.summaries, node: id)
        engine = node.engine
        log = node.log
        (isHealed, hasBegun) = (true, true)
        isEmptied = false
        room = .ample
        desk = SnapshotDesk(on: disk, settings: settings, chunkBytes: Self.chunkBytes)
        ordered = []
        isSyncing = false
        return node.recovery.torn != nil
    }

    /// Now and then it is started with a cluster file of other nodes first: that must be refused, and change nothing.
    private func expectRefusal(
        ofWrongFileFor voters: [NodeID], _ settings: EngineSettings, _ options: EventLogOptions, _ time: UInt64, _ seed: UInt64
    ) throws {
        guard seed % 8 == 1, EventLog.membership(on: disk) != nil else { return }
        let wrong = voters.count == 1 ? [id, NodeID(8), NodeID(9)] : [id]
        let before = disk.contents("superblock")
        do {
            _ = try NodeRecovery.open(
                on: disk, node: id, voters: wrong, settings: settings, options: options, chunkBytes: Self.chunkBytes,
                emptyLog: .beginning, seed: seed, now: moment(time))
        } catch {
            // Damage may be found first.
            guard disk.contents("superblock") != before else { return }
        }
        throw Violation("node \(id) took its folder with a cluster file of other nodes")
    }

    /// The process is gone; its disk stays.
    mutating func stop() {
        engine = nil
        log = nil
        desk = nil
        repair = nil
        snapshotUnderWay = nil
        ordered = []
        isSyncing = false
        // The disk forgets what it was to fail when it is closed.
        failingCall = nil
    }

    /// The failure that was asked for, when it has happened.
    mutating func takeFailure() -> SimulatedDisk.Call? {
        guard let call = failingCall, !disk.isToFail(call) else { return nil }
        failingCall = nil
        return call
    }

    /// All faults of the disk end, and what they are to hit later.
    mutating func healDisk() {
        disk.forgetFailures()
        // What peers can give back, they must.
        if isRefused { disk.cure() }
        disk.capacity = .max
        disk.asksUntilScarce = nil
        failingCall = nil
        isRefused = false
        losesPowerInNextWrite = false
    }

    /// Whole snapshots, with all their bytes.
    var snapshotFiles: [(file: String, bytes: Range<UInt64>)] {
        let names = ((try? disk.list()) ?? []).filter { $0.hasPrefix("snapshot-") }.sorted()
        return names.map { ($0, 0..<UInt64(disk.contents($0)?.count ?? 0)) }.filter { !$0.bytes.isEmpty }
    }

    /// Its log wants something of the disk that it did not get, or has just used a spare.
    var lacksRoom: Bool { room != .ample || (log?.needsSpare ?? false) }

    /// Segments that the log has begun.
    var segments: Int {
        let names = (try? disk.list()) ?? []
        return names.count { $0.hasPrefix("segment-") }
    }
}
