import Testing

@testable import JobboardCLI

/// The faults of a run come from its seed alone, and none is forgotten.
struct FaultScheduleTests {
    private static func episodes(_ count: Int, seed: UInt64, nodes: Int = 3) -> [Episode] {
        var schedule = FaultSchedule(seed: seed, nodes: nodes, faults: Fault.everything)
        return (0..<count).map { _ in schedule.next() }
    }

    @Test func theSameSeedGivesTheSameFaults() {
        #expect(Self.episodes(200, seed: 7) == Self.episodes(200, seed: 7))
        #expect(Self.episodes(200, seed: 7) != Self.episodes(200, seed: 8))
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func eachKindComesOnceBeforeAnyComesAgain(seed: UInt64) {
        let count = Fault.everything.count
        let faults = Self.episodes(count, seed: seed).map(\.fault)
        #expect(Set(faults) == Set(Fault.everything))
    }

    @Test func fullDisksAreRare() {
        let places = Self.episodes(500, seed: 3).enumerated().filter { $1.fault == .diskFull }.map(\.offset)
        #expect(places.count >= 3)
        for (one, next) in zip(places, places.dropFirst()) { #expect(next - one >= 60) }
    }

    @Test func everyNodeIsNamedOnceAndLongCalmsCome() {
        let episodes = Self.episodes(100, seed: 5, nodes: 5)
        for episode in episodes { #expect(episode.order.sorted() == [1, 2, 3, 4, 5]) }
        #expect(episodes.count { $0.calm >= FaultSchedule.longCalm } == 11)
    }

    @Test func withoutNamespacesThereAreOnlySignals() {
        for fault in Fault.processes {
            switch fault {
            case .kill, .stop, .restartLoop: break
            case .cut, .unseenDeath, .deathInTwoParts, .diskFull, .leftBehind: Issue.record("\(fault) takes a network or a disk")
            }
        }
    }
}

/// The longest time without progress counts only while there could have been some.
struct ProgressMeterTests {
    @Test func whileThereIsNoMajorityNothingCounts() {
        let start = ContinuousClock.now
        let meter = ProgressMeter(now: start)
        meter.connected(true, now: start)
        meter.acknowledged(now: start + .seconds(1))
        meter.connected(false, now: start + .seconds(2))
        meter.connected(true, now: start + .seconds(60))
        meter.acknowledged(now: start + .seconds(63))
        #expect(meter.reading == .init(longest: .seconds(3), endedAt: start + .seconds(63)))
        meter.end(now: start + .seconds(64))
        meter.connected(true, now: start + .seconds(65))
        meter.acknowledged(now: start + .seconds(99))
        #expect(meter.reading.longest == .seconds(3))
    }

    @Test func aGapCountsThoughItNeverEnds() {
        let start = ContinuousClock.now
        let meter = ProgressMeter(now: start)
        meter.connected(true, now: start)
        meter.connected(false, now: start + .seconds(9))
        #expect(meter.reading.longest == .seconds(9))
    }
}
