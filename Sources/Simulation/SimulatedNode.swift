import Consensus
import EventLog
import NodeEngine

/// One node of the simulated world: the shipped engine, log and recovery over a simulated disk.
struct SimulatedNode {
    let id: NodeID
    let disk = SimulatedDisk()
    var truth = DurableTruth()
    /// Counts the starts; what an earlier life ordered must not reach a later one.
    var life: UInt64 = 0
    var engine: Engine?
    var log: EventLog?
    var ordered: [LogWrite] = []
    var isSyncing = false
    /// The process stands still until then, in microseconds.
    var pausedUntil: UInt64 = 0
    /// The disk answers nothing until then, in microseconds.
    var stalledUntil: UInt64 = 0
    /// The power fails in the middle of the next write.
    var losesPowerInNextWrite = false
    /// How far its wall clock is off, in milliseconds.
    var clockSkew: Int64 = 0
    /// How fast its clocks run, in thousandths.
    var clockRate: UInt64 = 1000

    var isRunning: Bool { engine != nil }

    init(id: NodeID) {
        self.id = id
    }

    func moment(_ time: UInt64) -> Moment {
        let passed = time / 1000 * clockRate / 1000
        return Moment(monotonic: passed, wall: UInt64(Int64(1_700_000_000_000 + passed) + clockSkew))
    }

    /// Starts the process on what its disk holds. True when recovery had to cut off a torn tail.
    mutating func start(
        voters: [NodeID], settings: EngineSettings, options: EventLogOptions, time: UInt64, seed: UInt64
    ) throws -> Bool {
        precondition(engine == nil, "node \(id) runs already")
        life += 1
        let identity = LogIdentity(cluster: settings.cluster, node: id.rawValue)
        let (log, recovery) = try EventLog.open(on: disk, identity: identity, options: options)
        if let damage = recovery.damage { throw EventLogError(.damaged, damage.description) }
        let tag = BlockCodec.clusterTag(settings.cluster)
        let engine = try Engine.recover(
            id: id, voters: voters, settings: settings,
            log: RecoveredLog(hardState: recovery.hardState, commit: recovery.commit, entries: recovery.entries),
            sealer: Sealer { BlockCodec.seal($0, cluster: tag) }, opener: Opener { try? BlockCodec.payload(of: $0) },
            seed: seed, now: moment(time)
        ) { try log.read(from: $0, through: $1, maxBytes: 64 << 10) }
        try truth.recover(recovery.hardState, recovery.entries, node: id)
        self.engine = engine
        self.log = log
        ordered = []
        isSyncing = false
        return recovery.torn != nil
    }

    /// The process is gone; its disk stays.
    mutating func stop() {
        engine = nil
        log = nil
        ordered = []
        isSyncing = false
    }

    /// Segments that the log has begun.
    var segments: Int {
        let names = (try? disk.list()) ?? []
        return names.count { $0.hasPrefix("segment-") }
    }
}
