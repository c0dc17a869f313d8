public import ArgumentParser
public import Jobboard
import WireFormat

// The board's nouns as arguments. Words are taken in any case, and with "-" for "_".

extension JobID: ExpressibleByArgument {
    /// Reads the 36-character form.
    public init?(argument: String) {
        self.init(argument)
    }
}

extension JobState: ExpressibleByArgument {
    /// Reads a word such as `claimed`.
    public init?(argument: String) {
        self.init(word: constantCase(argument))
    }

    /// The words.
    public static var allValueStrings: [String] { allCases.map(\.word) }
    /// The words say it all.
    public static var allValueDescriptions: [String: String] { [:] }
    /// The word.
    public var defaultValueDescription: String { word }
}

extension Priority: ExpressibleByArgument {
    /// Reads a word such as `very-high`.
    public init?(argument: String) {
        self.init(word: constantCase(argument))
    }

    /// The words.
    public static var allValueStrings: [String] { allCases.map(\.word) }
    /// The words say it all.
    public static var allValueDescriptions: [String: String] { [:] }
    /// The word.
    public var defaultValueDescription: String { word }
}

extension Book: ExpressibleByArgument {
    /// Reads `UUID:NAME`.
    public init?(argument: String) {
        guard let colon = argument.firstIndex(of: ":"), let uuid = JobID(argument[..<colon]) else { return nil }
        let name = argument[argument.index(after: colon)...]
        guard !name.isEmpty else { return nil }
        self.init(uuid: uuid, name: String(name))
    }
}

extension Timestamp: ExpressibleByArgument {
    /// Reads an RFC 3339 time.
    public init?(argument: String) {
        guard let time = RFC3339.parse(argument) else { return nil }
        self = time
    }
}

private func constantCase(_ text: String) -> String {
    String(text.uppercased().map { $0 == "-" ? "_" : $0 })
}
