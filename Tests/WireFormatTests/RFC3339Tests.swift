import Jobboard
import Testing
import WireFormat

struct RFC3339Tests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"), (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"),
            (-11_670_998_400_001, "1600-02-28T23:59:59.999Z"), (1_798_761_599_001, "2026-12-31T23:59:59.001Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func momentsAndTextsAreTheSameBothWays(_ milliseconds: Int64, _ text: String) {
        #expect(RFC3339.text(Timestamp(milliseconds: milliseconds)) == text)
        #expect(RFC3339.parse(text) == Timestamp(milliseconds: milliseconds))
    }

    /// A calendar kept by hand, one day after the other over all 10,000 years, agrees with the arithmetic.
    @Test func theEndsOfMonthsOfTenThousandYearsAreRight() {
        var (year, month, day) = (0, 1, 1)
        func pad(_ value: Int, _ count: Int) -> String {
            String(repeating: "0", count: count - String(value).utf8.count) + String(value)
        }
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var moment: Int64 = -62_167_219_200_000
        var wrong = 0
        while year < 10_000 {
            let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
            // The ends of months, in each year of one cycle and in every seventh of the others: to keep this quick.
            if (day == 1 || day > 27) && ((1800..<2200).contains(year) || year % 7 == 0) {
                let text = "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T00:00:00.000Z"
                let time = Timestamp(milliseconds: moment)
                if RFC3339.text(time) != text || RFC3339.parse(text) != time { wrong += 1 }
            }
            moment += 86_400_000
            day += 1
            if day > lengths[month - 1] + (isLeap && month == 2 ? 1 : 0) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(wrong == 0)
        #expect(moment == 253_402_300_800_000)
    }

    @Test func whatCannotBeSaidBecomesTheLastMomentThatCan() {
        #expect(RFC3339.text(Timestamp(milliseconds: .max)) == "9999-12-31T23:59:59.999Z")
        #expect(RFC3339.text(Timestamp(milliseconds: .min)) == "0000-01-01T00:00:00.000Z")
    }

    @Test(
        arguments: [
            ("1970-01-01t00:00:01z", 1000), ("1970-01-01T00:00:00.1Z", 100), ("1970-01-01T00:00:00.12Z", 120),
            ("1970-01-01T00:00:00.1239999999999999999999Z", 123), ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T18:30:00-05:30", 0), ("1970-01-01T00:00:00-00:00", 0), ("1970-01-01T00:00:00.5+00:01", -59_500),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("2017-01-01T00:59:60+01:00", 1_483_228_800_000),
        ] as [(String, Int64)])
    func otherFormsAreReadToo(_ text: String, _ milliseconds: Int64) {
        #expect(RFC3339.parse(text) == Timestamp(milliseconds: milliseconds))
    }

    @Test(arguments: [
        "", "1970", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01 00:00:00Z", "1970-1-01T00:00:00Z", "1970-13-01T00:00:00Z",
        "1970-00-01T00:00:00Z", "1970-01-00T00:00:00Z", "1970-01-32T00:00:00Z", "1970-04-31T00:00:00Z", "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:61Z",
        "1970-01-01T00:00:60Z", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00,5Z", "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+01:60", "1970-01-01T00:00:00Z ", " 1970-01-01T00:00:00Z",
        "+970-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "１970-01-01T00:00:00Z", "1970-01-01T00:00:00ZZ",
    ])
    func everythingElseIsRefused(_ text: String) {
        #expect(RFC3339.parse(text) == nil)
    }
}
