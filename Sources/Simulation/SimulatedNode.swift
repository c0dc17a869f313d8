import Consensus
import EventLog
import NodeEngine

/// One node of the simulated world: the shipped engine, log and recovery over a simulated disk.
struct SimulatedNode {
    let id: NodeID
    let disk = SimulatedDisk()
    /// Counts the starts; what an earlier life ordered must not reach a later one.
    var life: UInt64 = 0
    var engine: Engine?
    var log: EventLog?
    var ordered: [LogWrite] = []
    var isSyncing = false
    /// The process stands still until then, in microseconds.
    var pausedUntil: UInt64 = 0
    /// How far its wall clock is off, in milliseconds.
    var clockSkew: Int64

    var isRunning: Bool { engine != nil }

    init(id: NodeID, clockSkew: Int64) {
        self.id = id
        self.clockSkew = clockSkew
    }

    func moment(_ time: UInt64) -> Moment {
        Moment(monotonic: time / 1000, wall: UInt64(Int64(1_700_000_000_000 + time / 1000) + clockSkew))
    }

    /// Starts the process on what its disk holds.
    mutating func start(voters: [NodeID], settings: EngineSettings, options: EventLogOptions, time: UInt64, seed: UInt64) throws {
        precondition(engine == nil, "node \(id) runs already")
        life += 1
        let identity = LogIdentity(cluster: settings.cluster, node: id.rawValue)
        let (log, recovery) = try EventLog.open(on: disk, identity: identity, options: options)
        let tag = BlockCodec.clusterTag(settings.cluster)
        engine = try Engine.recover(
            id: id, voters: voters, settings: settings,
            log: RecoveredLog(hardState: recovery.hardState, commit: recovery.commit, entries: recovery.entries),
            sealer: Sealer { BlockCodec.seal($0, cluster: tag) }, opener: Opener { try? BlockCodec.payload(of: $0) },
            seed: seed, now: moment(time)
        ) { try log.read(from: $0, through: $1, maxBytes: 64 << 10) }
        self.log = log
        ordered = []
        isSyncing = false
    }

    /// The process is gone; its disk stays.
    mutating func stop() {
        engine = nil
        log = nil
        ordered = []
        isSyncing = false
    }
}
