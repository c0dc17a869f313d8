import NodeEngine
import Testing

@Suite struct StreamWatchTests {
    /// Looks every 10 ms from `start` until the stream is dead or the time is up: when pings went out, and when it was dead.
    private func pass(
        _ watch: inout StreamWatch, from start: UInt64, to end: UInt64, isInRecord: Bool = false,
        hears: (UInt64) -> Bool = { _ in false }, sends: (UInt64) -> Bool = { _ in false }
    ) -> (pings: [UInt64], dead: UInt64?, inRecord: Bool) {
        var pings: [UInt64] = []
        for now in stride(from: start, to: end, by: 10) {
            if hears(now) { watch.heard(at: now) }
            if sends(now) { watch.sent(at: now) }
            switch watch.look(at: now, isInRecord: isInRecord) {
            case .healthy: break
            case .ping: pings.append(now)
            case .dead(let inRecord): return (pings, now, inRecord)
            }
        }
        return (pings, nil, false)
    }

    @Test func `a side that has nothing to send sends a ping a second, and none while it sends`() {
        var watch = StreamWatch(now: 100_000)
        #expect(pass(&watch, from: 100_000, to: 103_500, hears: { _ in true }).pings == [101_000, 102_000, 103_000])
        #expect(pass(&watch, from: 103_500, to: 110_000, hears: { _ in true }, sends: { $0 % 500 == 0 }).pings.isEmpty)
    }

    @Test func `a stream on which nothing whole arrives is dead in 5 s`() {
        var silent = StreamWatch(now: 100_000)
        #expect(pass(&silent, from: 100_000, to: 120_000).dead == 105_000)
        var stuck = StreamWatch(now: 100_000)
        let (_, dead, inRecord) = pass(&stuck, from: 100_000, to: 120_000, isInRecord: true)
        #expect(dead == 105_000 && inRecord)
    }

    @Test func `pings of the other side keep it alive, and its silence afterwards does not`() {
        var watch = StreamWatch(now: 100_000)
        #expect(pass(&watch, from: 100_000, to: 200_000, hears: { $0 % 1000 == 0 }).dead == nil)
        #expect(pass(&watch, from: 200_000, to: 220_000).dead == 204_000)
    }

    /// It first reads what has come meanwhile, and only then judges.
    @Test func `a side that stood still itself does not take the other for dead at once`() {
        var watch = StreamWatch(now: 100_000)
        #expect(pass(&watch, from: 100_000, to: 100_050, hears: { _ in true }).dead == nil)
        #expect(pass(&watch, from: 130_000, to: 131_000, hears: { $0 == 130_020 }).dead == nil)
        var silent = StreamWatch(now: 100_000)
        silent.heard(at: 100_000)
        #expect(pass(&silent, from: 130_000, to: 131_000).dead == 130_090)
    }
}
