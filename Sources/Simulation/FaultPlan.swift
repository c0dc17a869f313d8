package import Consensus

/// What will go wrong in one run, and how often: drawn from the seed, so that each run is a different world.
package struct FaultPlan: Sendable, Equatable {
    /// Of messages, by channel, in thousandths.
    package var datagramLoss: UInt64 = 0
    package var datagramRepeat: UInt64 = 0
    /// No datagram gets through at all.
    package var noDatagrams = false
    /// The usual delay of a message, in microseconds; each is drawn up to twice that.
    package var delay: UInt64 = 200
    /// The usual time of a sync, in microseconds; each is drawn up to twice that.
    package var syncTime: UInt64 = 300
    /// Out of a thousand syncs, how many take up to a second.
    package var slowSyncs: UInt64 = 0
    /// Mean milliseconds between power losses of a node; 0 for none.
    package var powerLossEvery: UInt64 = 0
    /// Mean milliseconds between kills of a node's process; 0 for none.
    package var killEvery: UInt64 = 0
    /// Mean milliseconds between cuts of links; 0 for none.
    package var cutEvery: UInt64 = 0
    /// Mean milliseconds between pauses of a node; 0 for none.
    package var pauseEvery: UInt64 = 0
    /// Of replies to clients, in thousandths.
    package var replyLoss: UInt64 = 0
    /// How far wall clocks may be apart, in milliseconds.
    package var clockSkew: UInt64 = 0

    package init() {}

    /// Each kind of fault is in about every second run.
    package init(drawnFrom random: inout SplitMix64) {
        func sometimes(_ value: UInt64) -> UInt64 { random.below(2) == 0 ? 0 : 1 + random.below(value) }
        datagramLoss = sometimes(300)
        datagramRepeat = sometimes(300)
        noDatagrams = random.below(8) == 0
        delay = 50 + (random.below(3) == 0 ? random.below(20_000) : random.below(500))
        syncTime = 100 + (random.below(3) == 0 ? random.below(20_000) : random.below(500))
        slowSyncs = sometimes(20)
        powerLossEvery = sometimes(4000)
        killEvery = sometimes(4000)
        cutEvery = sometimes(3000)
        pauseEvery = sometimes(4000)
        replyLoss = sometimes(200)
        clockSkew = sometimes(10_000)
        if powerLossEvery > 0 { powerLossEvery += 300 }
        if killEvery > 0 { killEvery += 300 }
    }
}
