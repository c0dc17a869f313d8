package import Consensus

/// What will go wrong in one run, and how often: drawn from the seed, so that each run is a different world.
///
/// Chances are in thousandths, times that are called "every" are the mean in milliseconds between two; 0 is never.
package struct FaultPlan: Sendable, Equatable {
    package var datagramLoss: UInt64 = 0
    package var datagramRepeat: UInt64 = 0
    /// 1: no datagram gets through at all.
    package var noDatagrams: UInt64 = 0
    /// A datagram of any earlier moment, term or incarnation comes once more.
    package var replayEvery: UInt64 = 0
    /// Links let through streams and no datagrams for a while.
    package var datagramCutEvery: UInt64 = 0
    package var streamCutEvery: UInt64 = 0
    /// A stream delivers nothing any more in one direction and stays open, until one side finds it dead.
    package var deadStreamEvery: UInt64 = 0
    package var cutEvery: UInt64 = 0
    package var powerLossEvery: UInt64 = 0
    /// All nodes lose power at once.
    package var blackoutEvery: UInt64 = 0
    package var killEvery: UInt64 = 0
    /// Of starts: the power fails once more during recovery.
    package var recoveryCrash: UInt64 = 0
    package var pauseEvery: UInt64 = 0
    /// Of syncs: those that take up to a second.
    package var slowSyncs: UInt64 = 0
    /// A disk hangs for up to five seconds.
    package var diskStallEvery: UInt64 = 0
    /// A call on a disk fails once.
    package var diskErrorEvery: UInt64 = 0
    /// A disk is nearly full for a while.
    package var fullDiskEvery: UInt64 = 0
    /// Descriptors or memory are short at a node for a while: calls that open a file or ask the disk fail, and nothing is lost.
    package var scarcityEvery: UInt64 = 0
    /// Bytes that were acknowledged rot, on a minority of the disks at any time.
    package var rotEvery: UInt64 = 0
    /// The same block rots on every disk, in different bytes.
    package var sharedRotEvery: UInt64 = 0
    /// A node's folder is gone, and it comes back with an empty one; with rot, on a minority at any time.
    package var emptyingEvery: UInt64 = 0
    /// 1: power losses reach further into what a batch makes a disk do, such as a new segment.
    package var deepPowerLoss: UInt64 = 0
    package var replyLoss: UInt64 = 0
    /// Of requests: those that come once more, up to two seconds later and at any node.
    package var requestRepeat: UInt64 = 0
    /// A client dies with all that it holds.
    package var deathEvery: UInt64 = 0
    package var clockJumpEvery: UInt64 = 0
    /// All wall clocks are this far ahead at first, in milliseconds, and are corrected at the same moment.
    package var clocksAhead: UInt64 = 0
    /// How far wall clocks may be off, in milliseconds.
    package var clockSkew: UInt64 = 0
    /// How much faster or slower than the others a node's clocks may run, in thousandths.
    package var clockDrift: UInt64 = 0

    /// Clients that ask for much and read nothing do something, in milliseconds.
    package var hostility: UInt64 = 0
    /// Not 0: the budgets are small, drawn from this.
    package var smallBudgets: UInt64 = 0

    // Not faults: the world's pace.

    /// The usual delay of a message, in microseconds; each is drawn up to twice that.
    package var delay: UInt64 = 200
    /// 1: writes that are ordered while a sync is under way are not part of it. 0: they slip in.
    package var syncsOverlap: UInt64 = 0
    /// 1: requests that come to a process that stands still are there when it goes on. 0: they are lost.
    package var requestsWait: UInt64 = 0

    /// The usual time of a sync, in microseconds; each is drawn up to twice that.
    package var syncTime: UInt64 = 300

    package init() {}

    /// Each kind of fault is in every second to fourth run.
    package init(drawnFrom random: inout SplitMix64) {
        func sometimes(_ value: UInt64, oneIn: UInt64 = 2) -> UInt64 { random.below(oneIn) == 0 ? 1 + random.below(value) : 0 }
        func every(_ value: UInt64, oneIn: UInt64 = 2) -> UInt64 {
            random.below(oneIn) == 0 ? 300 + random.below(value) : 0
        }
        delay = 50 + (random.below(3) == 0 ? random.below(20_000) : random.below(500))
        syncTime = 100 + (random.below(3) == 0 ? random.below(20_000) : random.below(500))
        datagramLoss = sometimes(300)
        datagramRepeat = sometimes(300)
        noDatagrams = random.below(8) == 0 ? 1 : 0
        replayEvery = random.below(2) == 0 ? 5 + random.below(200) : 0
        datagramCutEvery = every(4000, oneIn: 3)
        cutEvery = every(3000)
        powerLossEvery = every(4000)
        blackoutEvery = every(8000, oneIn: 4)
        killEvery = every(4000)
        recoveryCrash = sometimes(400, oneIn: 3)
        pauseEvery = every(4000)
        slowSyncs = sometimes(20)
        diskStallEvery = every(8000, oneIn: 4)
        replyLoss = sometimes(200)
        requestRepeat = sometimes(200)
        deathEvery = every(4000)
        clockJumpEvery = every(4000, oneIn: 4)
        clockSkew = sometimes(10_000)
        clockDrift = sometimes(50, oneIn: 4)
        // Luck of its own: what came later must not change what the seeds of earlier bugs mean.
        var later = SplitMix64(seed: random.state ^ 0x5354_5245_414d)
        if later.below(4) == 0 { streamCutEvery = 300 + later.below(4000) }
        var pace = SplitMix64(seed: random.state ^ 0x5041_4345)
        if pace.below(4) > 0 { syncsOverlap = 1 }
        if pace.below(4) > 0 { requestsWait = 1 }
        if later.below(4) == 0 { diskErrorEvery = 300 + later.below(4000) }
        if later.below(4) == 0 { fullDiskEvery = 300 + later.below(6000) }
        if later.below(3) == 0 { rotEvery = 300 + later.below(6000) }
        deepPowerLoss = later.below(2)
        if later.below(4) == 0 { emptyingEvery = 1000 + later.below(8000) }
        var clocks = SplitMix64(seed: random.state ^ 0x434c_4f43_4b53)
        if clocks.below(8) == 0 { clocksAhead = 60_000 << clocks.below(8) }
        var shared = SplitMix64(seed: random.state ^ 0x5348_4152_4544)
        if shared.below(4) == 0 { sharedRotEvery = 500 + shared.below(4000) }
        var strangers = SplitMix64(seed: random.state ^ 0x5354_524e_4752)
        if strangers.below(3) == 0 { hostility = 2 + strangers.below(80) }
        if strangers.below(3) == 0 { smallBudgets = 1 + strangers.below(1 << 32) }
        var surroundings = SplitMix64(seed: random.state ^ 0x5343_4152_4345)
        if surroundings.below(4) == 0 { scarcityEvery = 300 + surroundings.below(5000) }
        if surroundings.below(4) == 0 { deadStreamEvery = 300 + surroundings.below(5000) }
    }

    /// Every fault with its name, to leave out one after another.
    package static var faults: [(name: String, path: WritableKeyPath<FaultPlan, UInt64>)] {
        [
            ("datagram loss", \.datagramLoss), ("datagram repeats", \.datagramRepeat), ("no datagrams", \.noDatagrams),
            ("datagram replays", \.replayEvery), ("datagram cuts", \.datagramCutEvery),
            ("stream cuts", \.streamCutEvery), ("dead streams", \.deadStreamEvery), ("cuts", \.cutEvery),
            ("power losses", \.powerLossEvery), ("blackouts", \.blackoutEvery), ("kills", \.killEvery),
            ("crashes in recovery", \.recoveryCrash), ("pauses", \.pauseEvery), ("slow syncs", \.slowSyncs),
            ("disk stalls", \.diskStallEvery), ("disk errors", \.diskErrorEvery), ("full disks", \.fullDiskEvery),
            ("scarcity", \.scarcityEvery),
            ("rot", \.rotEvery), ("shared rot", \.sharedRotEvery), ("emptied folders", \.emptyingEvery),
            ("deep power losses", \.deepPowerLoss),
            ("lost replies", \.replyLoss),
            ("repeated requests", \.requestRepeat),
            ("hostile clients", \.hostility), ("small budgets", \.smallBudgets),
            ("client deaths", \.deathEvery), ("clock jumps", \.clockJumpEvery), ("clock skew", \.clockSkew),
            ("clock drift", \.clockDrift), ("clocks ahead", \.clocksAhead),
        ]
    }

    /// By how much less time may pass in truth than the log's stamps say, in microseconds; nil when pauses, late
    /// messages or wandering clocks leave no useful bound.
    ///
    /// The stamp is that of the middle clock, as far as messages tell: each clock is off by the skew at most, and seems
    /// late by a message's way, which for a vote has a sync in it. A leader may change between two stamps: all twice.
    var clockSlack: UInt64? {
        guard clockJumpEvery == 0, clockDrift == 0, pauseEvery == 0, replayEvery == 0, slowSyncs == 0, diskStallEvery == 0 else {
            return nil
        }
        return 4 * (1000 * clockSkew + 4 * delay + 4 * syncTime + 20_000)
    }
}
