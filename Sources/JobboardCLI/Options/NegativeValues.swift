/// Ties a value such as `-5s` to the option before it. The parser would take it for an option itself, and say that the
/// value is missing, where the option's own complaint helps.
enum NegativeValues {
    static func tied(_ arguments: [String]) -> [String] {
        var tied: [String] = []
        for (place, argument) in arguments.enumerated() {
            if argument == "--" { return tied + arguments[place...] }
            if isNegative(argument), let option = tied.last, option.hasPrefix("--"), !option.contains("=") {
                tied[tied.count - 1] = option + "=" + argument
            } else {
                tied.append(argument)
            }
        }
        return tied
    }

    /// A minus and a digit: no option of ours is named like that.
    private static func isNegative(_ text: String) -> Bool {
        guard text.hasPrefix("-"), let next = text.dropFirst().first else { return false }
        return next.isASCII && next.isNumber
    }
}
