public import ArgumentParser

/// Durations as people type them: `500ms`, `5s`, `1.5m`, `1h`, `7d`; a plain number means seconds.
enum DurationText {
    /// Longer ones are typing errors.
    private static let longest: Duration = .seconds(3650 * 86_400)

    static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits), number.isFinite, digits.first != ".", digits.last != ".",
            let unit = milliseconds(of: text[digits.endIndex...])
        else { return nil }
        let milliseconds = (number * unit).rounded()
        guard milliseconds <= Double(longest.components.seconds) * 1000 else { return nil }
        // What is asked for and not nothing is not rounded to nothing.
        guard milliseconds >= 1 || number == 0 else { return nil }
        return .milliseconds(Int64(milliseconds))
    }

    private static func milliseconds(of unit: Substring) -> Double? {
        switch unit {
        case "ms": 1
        case "", "s": 1000
        case "m": 60_000
        case "h": 3_600_000
        case "d": 86_400_000
        default: nil
        }
    }

    /// For tables: the two largest units at most, such as `4m`, `3h 20m`, `250ms`.
    static func say(milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        return switch milliseconds {
        case ..<1000: "\(max(0, milliseconds))ms"
        case ..<60_000: "\(seconds)s"
        case ..<3_600_000: pair(seconds / 60, "m", seconds % 60, "s")
        case ..<86_400_000: pair(seconds / 3600, "h", seconds / 60 % 60, "m")
        default: pair(seconds / 86_400, "d", seconds / 3600 % 24, "h")
        }
    }

    private static func pair(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit) \(small)\(smallUnit)"
    }
}

extension Duration: @retroactive ExpressibleByArgument {
    /// Reads a duration as `DurationText` does.
    public init?(argument: String) {
        guard let duration = DurationText.parse(argument) else { return nil }
        self = duration
    }

    /// As it would be typed.
    public var defaultValueDescription: String {
        DurationText.say(milliseconds: inMilliseconds)
    }
}

extension Duration {
    /// Whole milliseconds, cut off.
    var inMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }

    /// With the fraction.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
