import Testing

@testable import Consensus

@Suite struct LogClockTests {
    private func clock() -> LogClock { LogClock(openedAt: Moment(monotonic: 1000, wall: 500_000)) }

    @Test func `it shows what the wall clock does while that runs evenly`() {
        var clock = clock()
        for passed: UInt64 in [1, 2, 50, 51, 10_000] {
            clock.advance(to: Moment(monotonic: 1000 + passed, wall: 500_000 + passed))
            #expect(clock.wall == 500_000 + passed)
        }
    }

    @Test func `a leap ahead is taken in at a quarter more than true time, however often it is asked`() {
        var (once, often) = (clock(), clock())
        once.advance(to: Moment(monotonic: 5000, wall: 4_000_000))
        for passed: UInt64 in 1...4000 { often.advance(to: Moment(monotonic: 1000 + passed, wall: 4_000_000 - 4000 + passed)) }
        #expect(once.wall == 505_000)
        #expect(often.wall == 505_000)
    }

    @Test func `after a leap ahead it catches up and then runs evenly`() {
        var clock = clock()
        // A second ahead: caught up with after four seconds.
        clock.advance(to: Moment(monotonic: 1001, wall: 501_001))
        #expect(clock.wall == 500_001)
        clock.advance(to: Moment(monotonic: 5000, wall: 505_000))
        #expect(clock.wall == 505_000)
        clock.advance(to: Moment(monotonic: 6000, wall: 506_000))
        #expect(clock.wall == 506_000)
    }

    @Test func `a wall clock that is set back is followed at once`() {
        var clock = clock()
        clock.advance(to: Moment(monotonic: 2000, wall: 100))
        #expect(clock.wall == 100)
    }

    @Test func `time goes on from the last entry at nine tenths, from when it was stored or the folder was opened`() {
        var clock = clock()
        #expect(clock.earliest(after: 700_000, at: 1000) == 700_000)
        #expect(clock.earliest(after: 700_000, at: 2000) == 700_900)
        clock.stored(at: 2000)
        #expect(clock.earliest(after: 700_900, at: 2000) == 700_900)
        #expect(clock.earliest(after: 700_900, at: 3000) == 701_800)
    }
}
