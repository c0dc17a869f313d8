import Testing

@testable import NodeEngine

@Suite struct LogTimeWatchTests {
    @Test func `log time that is more than a day ahead is reported at once and then every hour`() {
        var watch = LogTimeWatch()
        #expect(watch.check(86_400_000, now: 5) == nil)
        #expect(watch.check(86_400_001, now: 5) == 86_400_001)
        #expect(watch.check(86_400_001, now: 6) == nil)
        #expect(watch.check(86_400_002, now: 3_600_005) == 86_400_002)
    }
}
