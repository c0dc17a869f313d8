/// A JSON value (RFC 8259) that knows where it stood in the text it was read from.
package struct JSONValue: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        case null
        case bool(Bool)
        /// As it was written: nothing is lost to rounding.
        case number(String)
        case string(String)
        case array([JSONValue])
        /// In the order of the text, a name twice when it stood there twice.
        case object([Member])
    }

    package struct Member: Sendable, Equatable {
        package let name: String
        package let value: JSONValue
    }

    package let content: Content
    /// Its bytes in the text, without the space around it.
    package let range: Range<Int>

    package var isNull: Bool { content == .null }

    package var string: String? {
        if case .string(let text) = content { text } else { nil }
    }

    /// A whole number without sign, fraction or exponent that fits 64 bits.
    package var unsigned: UInt64? {
        if case .number(let text) = content, !text.hasPrefix("-") { UInt64(text) } else { nil }
    }

    package var members: [Member]? {
        if case .object(let members) = content { members } else { nil }
    }

    package var items: [JSONValue]? {
        if case .array(let items) = content { items } else { nil }
    }
}
