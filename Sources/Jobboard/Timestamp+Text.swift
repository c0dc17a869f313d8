extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with milliseconds, such as `2025-03-01T12:00:00.250Z`; moments outside of the years 0 to 9999, for
    /// which RFC 3339 has no words, as milliseconds.
    public var description: String {
        guard milliseconds >= -62_167_219_200_000, milliseconds <= BoardLimits.lastMoment.milliseconds else {
            return "\(milliseconds) ms"
        }
        let day: Int64 = 86_400_000
        let ofDay = ((milliseconds % day) + day) % day
        let (year, month, dayOfMonth) = Self.civil(days: (milliseconds - ofDay) / day)
        return Self.padded(year, 4) + "-" + Self.padded(month, 2) + "-" + Self.padded(dayOfMonth, 2) + "T"
            + Self.padded(ofDay / 3_600_000, 2) + ":" + Self.padded(ofDay / 60_000 % 60, 2) + ":"
            + Self.padded(ofDay / 1000 % 60, 2) + "." + Self.padded(ofDay % 1000, 3) + "Z"
    }

    /// The Gregorian date of a number of days since 1970-01-01. Years are counted from March, so that the leap day is
    /// the last of a year, and in eras of 400 years, which all have 146,097 days.
    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468  // Days since 0000-03-01.
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * ofYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * fromMarch + 2) / 5 + 1)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
