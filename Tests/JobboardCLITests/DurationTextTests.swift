import Testing

@testable import JobboardCLI

@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("500ms", 500), ("5s", 5000), ("5", 5000), ("2m", 120_000), ("1h", 3_600_000), ("7d", 604_800_000), ("1.5s", 1500),
            ("0.25", 250), ("0", 0), ("0ms", 0), ("1.0004s", 1000), ("3650d", 315_360_000_000),
        ] as [(String, Int64)])
    func aDurationIsReadInMilliseconds(text: String, milliseconds: Int64) {
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", "s", "ms", "-1s", "+1s", "1 s", "1S", "1sec", "1h30m", "1.s", ".5s", "1..5s", "0x10", "1e3", "nan", "inf", "٣s",
        "3651d", "99999999999999999999", "0.0001s",
    ])
    func whatIsNoDurationIsRefused(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(
        arguments: [
            (-5, "0ms"), (250, "250ms"), (59_999, "59s"), (60_000, "1m"), (61_000, "1m 1s"), (12_000_000, "3h 20m"),
            (90_000_000, "1d 1h"),
        ] as [(Int64, String)])
    func aDurationIsSaidInTwoUnitsAtMost(milliseconds: Int64, text: String) {
        #expect(DurationText.say(milliseconds: milliseconds) == text)
    }
}
