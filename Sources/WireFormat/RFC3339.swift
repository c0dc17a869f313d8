package import Jobboard

/// Moments as text: `2026-03-01T12:00:00.250Z` (RFC 3339, section 5.6).
package enum RFC3339 {
    private static let dayMilliseconds: Int64 = 86_400_000
    /// From 0000-03-01 to 1970-01-01. Years are counted from March here, so that a leap day is a year's last day.
    private static let daysBeforeEpoch: Int64 = 719_468
    /// Days of 400 years, after which the calendar repeats.
    private static let cycleDays: Int64 = 146_097
    /// 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: RFC 3339 has no words for what lies outside.
    private static let sayable: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// UTC with milliseconds. What lies before year 0 or after year 9999 becomes the first or last moment that can be said.
    package static func text(_ time: Timestamp) -> String {
        var bytes: [UInt8] = []
        append(time, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As `text`, appended to bytes.
    package static func append(_ time: Timestamp, to output: inout [UInt8]) {
        let moment = min(max(time.milliseconds, sayable.lowerBound), sayable.upperBound)
        let inDay = (moment % dayMilliseconds + dayMilliseconds) % dayMilliseconds
        let (year, month, day) = date(ofDay: (moment - inDay) / dayMilliseconds)
        appendDigits(year, 4, UInt8(ascii: "-"), to: &output)
        appendDigits(month, 2, UInt8(ascii: "-"), to: &output)
        appendDigits(day, 2, UInt8(ascii: "T"), to: &output)
        appendDigits(inDay / 3_600_000, 2, UInt8(ascii: ":"), to: &output)
        appendDigits(inDay / 60_000 % 60, 2, UInt8(ascii: ":"), to: &output)
        appendDigits(inDay / 1000 % 60, 2, UInt8(ascii: "."), to: &output)
        appendDigits(inDay % 1000, 3, UInt8(ascii: "Z"), to: &output)
    }

    /// Reads any RFC 3339 date-time, with any offset; digits finer than a millisecond are cut off, and a leap second is
    /// the second after it. Anything else is nil.
    package static func parse(_ text: String) -> Timestamp? {
        var rest = Substring(text).utf8
        guard let year = digits(4, &rest), take("-", &rest),
            let month = digits(2, &rest), (1...12).contains(month), take("-", &rest),
            let day = digits(2, &rest), (1...daysOf(month, year)).contains(day), take("T", &rest) || take("t", &rest),
            let hour = digits(2, &rest), hour < 24, take(":", &rest),
            let minute = digits(2, &rest), minute < 60, take(":", &rest),
            let second = digits(2, &rest), second <= 60,
            let fraction = fraction(&rest), let offset = offset(&rest), rest.isEmpty
        else { return nil }
        let seconds =
            dayNumber(year, month, day) * 86_400 + (hour - offset.hours) * 3600 + (minute - offset.minutes) * 60 + second
        // Leap seconds are at the end of a UTC day only.
        guard second < 60 || seconds % 86_400 == 0 else { return nil }
        return Timestamp(milliseconds: seconds * 1000 + fraction)
    }

    /// The date of a day counted from 1970-01-01, for years from 0 on.
    private static func date(ofDay number: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // One cycle on, so that January and February of year 0 are not negative.
        let shifted = number + daysBeforeEpoch + cycleDays
        var rest = shifted % cycleDays
        // A cycle's last century and four years' last year are a day longer than the others; `min` keeps that day inside.
        let century = min(rest / 36_524, 3)
        rest -= century * 36_524
        let leapSpan = rest / 1461
        rest -= leapSpan * 1461
        let single = min(rest / 365, 3)
        rest -= single * 365
        let marchYear = (shifted / cycleDays - 1) * 400 + century * 100 + leapSpan * 4 + single
        // From March on, five months have 153 days, again and again.
        let marchMonth = (5 * rest + 2) / 153
        let day = rest - (153 * marchMonth + 2) / 5 + 1
        return marchMonth < 10 ? (marchYear, marchMonth + 3, day) : (marchYear + 1, marchMonth - 9, day)
    }

    /// The day counted from 1970-01-01; the inverse of `date(ofDay:)`.
    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let marchMonth = (month + 9) % 12
        let marchYear = (month < 3 ? year - 1 : year) + 400
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        return marchYear * 365 + leapDays + (153 * marchMonth + 2) / 5 + day - 1 - cycleDays - daysBeforeEpoch
    }

    private static func daysOf(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func appendDigits(_ value: Int64, _ count: Int, _ end: UInt8, to output: inout [UInt8]) {
        var unit: Int64 = count == 4 ? 1000 : count == 3 ? 100 : 10
        while unit > 0 {
            output.append(UInt8(ascii: "0") + UInt8(value / unit % 10))
            unit /= 10
        }
        output.append(end)
    }

    private static func digits(_ count: Int, _ rest: inout Substring.UTF8View) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let digit = digit(&rest) else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    private static func digit(_ rest: inout Substring.UTF8View) -> Int64? {
        guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        rest.removeFirst()
        return Int64(byte - UInt8(ascii: "0"))
    }

    private static func take(_ wanted: Unicode.Scalar, _ rest: inout Substring.UTF8View) -> Bool {
        guard rest.first == UInt8(ascii: wanted) else { return false }
        rest.removeFirst()
        return true
    }

    /// The milliseconds of a fraction of a second; 0 when there is none, nil when it is a point alone.
    private static func fraction(_ rest: inout Substring.UTF8View) -> Int64? {
        guard take(".", &rest) else { return 0 }
        guard var value = digit(&rest) else { return nil }
        var kept = 1
        while let digit = digit(&rest) {
            if kept < 3 { value = value * 10 + digit }
            kept += 1
        }
        while kept < 3 {
            value *= 10
            kept += 1
        }
        return value
    }

    private static func offset(_ rest: inout Substring.UTF8View) -> (hours: Int64, minutes: Int64)? {
        if take("Z", &rest) || take("z", &rest) { return (0, 0) }
        let isBehind = take("-", &rest)
        guard isBehind || take("+", &rest), let hours = digits(2, &rest), hours < 24, take(":", &rest),
            let minutes = digits(2, &rest), minutes < 60
        else { return nil }
        return isBehind ? (-hours, -minutes) : (hours, minutes)
    }
}
