/// Reads one JSON value, strictly (RFC 8259): no comments, no trailing commas, no lone surrogates, well-formed UTF-8,
/// nothing behind the value but space. Total: any bytes give a value or a `WireError` that names the place.
package struct JSONReader {
    /// How deep arrays and objects may nest, so that no text can exhaust the stack.
    package static let maximumDepth = 128

    private let bytes: [UInt8]
    private var place = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The value that the whole text is.
    package static func read(_ text: [UInt8]) throws(WireError) -> JSONValue {
        var reader = JSONReader(text)
        reader.skipSpace()
        let value = try reader.value()
        reader.skipSpace()
        guard reader.place == text.count else { throw reader.unexpected("the end") }
        return value
    }

    private mutating func value() throws(WireError) -> JSONValue {
        let start = place
        let content: JSONValue.Content
        switch peek {
        case UInt8(ascii: "{"): content = .object(try nested { (reader) throws(WireError) in try reader.members() })
        case UInt8(ascii: "["): content = .array(try nested { (reader) throws(WireError) in try reader.items() })
        case UInt8(ascii: "\""): content = .string(try string())
        case UInt8(ascii: "t"): content = try word("true", .bool(true))
        case UInt8(ascii: "f"): content = try word("false", .bool(false))
        case UInt8(ascii: "n"): content = try word("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): content = .number(try number())
        default: throw unexpected("a value")
        }
        return JSONValue(content: content, range: start..<place)
    }

    private mutating func nested<Inside>(
        _ inside: (inout JSONReader) throws(WireError) -> [Inside]
    ) throws(WireError) -> [Inside] {
        guard depth < Self.maximumDepth else { throw WireError("nested deeper than \(Self.maximumDepth) at byte \(place)") }
        depth += 1
        defer { depth -= 1 }
        place += 1
        return try inside(&self)
    }

    private mutating func members() throws(WireError) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        skipSpace()
        if take("}") { return members }
        while true {
            guard peek == UInt8(ascii: "\"") else { throw unexpected("a name in quotes") }
            let name = try string()
            skipSpace()
            guard take(":") else { throw unexpected("\":\"") }
            skipSpace()
            members.append(JSONValue.Member(name: name, value: try value()))
            skipSpace()
            if take("}") { return members }
            guard take(",") else { throw unexpected("\",\" or \"}\"") }
            skipSpace()
        }
    }

    private mutating func items() throws(WireError) -> [JSONValue] {
        var items: [JSONValue] = []
        skipSpace()
        if take("]") { return items }
        while true {
            items.append(try value())
            skipSpace()
            if take("]") { return items }
            guard take(",") else { throw unexpected("\",\" or \"]\"") }
            skipSpace()
        }
    }

    private mutating func word(_ word: StaticString, _ content: JSONValue.Content) throws(WireError) -> JSONValue.Content {
        for offset in 0..<word.utf8CodeUnitCount {
            guard peek == word.utf8Start[offset] else { throw unexpected("\"\(word)\"") }
            place += 1
        }
        return content
    }

    private mutating func number() throws(WireError) -> String {
        let start = place
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func digits() throws(WireError) {
        guard let first = peek, Self.isDigit(first) else { throw unexpected("a digit") }
        while let byte = peek, Self.isDigit(byte) { place += 1 }
    }

    private mutating func string() throws(WireError) -> String {
        place += 1
        var start = place
        var unescaped: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw unexpected("an escape instead of a control character") }
            guard byte == UInt8(ascii: "\\") else {
                place += 1
                continue
            }
            unescaped.append(contentsOf: bytes[start..<place])
            place += 1
            unescaped.append(contentsOf: try escape())
            start = place
        }
        guard peek != nil else { throw unexpected("\"\"\"") }
        let last = bytes[start..<place]
        place += 1
        let text =
            unescaped.isEmpty ? String(validating: last, as: UTF8.self) : String(validating: unescaped + last, as: UTF8.self)
        guard let text else { throw WireError("the text that ends at byte \(place) is not UTF-8") }
        return text
    }

    /// What stands behind a backslash.
    private mutating func escape() throws(WireError) -> [UInt8] {
        guard let byte = peek else { throw unexpected("an escape") }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return plain(byte)
        case UInt8(ascii: "u"):
            place += 1
            return try unicodeEscape()
        case UInt8(ascii: "b"): return plain(0x08)
        case UInt8(ascii: "f"): return plain(0x0c)
        case UInt8(ascii: "n"): return plain(0x0a)
        case UInt8(ascii: "r"): return plain(0x0d)
        case UInt8(ascii: "t"): return plain(0x09)
        default: throw unexpected("an escape")
        }
    }

    private mutating func plain(_ meant: UInt8) -> [UInt8] {
        place += 1
        return [meant]
    }

    /// Four hex digits, or twice that when they are the first of a surrogate pair.
    private mutating func unicodeEscape() throws(WireError) -> [UInt8] {
        let start = place
        var code = try hexDigits()
        if code & 0xfc00 == 0xd800, take("\\") {
            guard take("u") else { throw unexpected("the second of a surrogate pair") }
            let second = try hexDigits()
            guard second & 0xfc00 == 0xdc00 else { throw WireError("half a surrogate pair at byte \(start)") }
            code = 0x10000 + (code & 0x3ff) << 10 + second & 0x3ff
        }
        guard let scalar = Unicode.Scalar(code) else { throw WireError("half a surrogate pair at byte \(start)") }
        return [UInt8](String(Character(scalar)).utf8)
    }

    private mutating func hexDigits() throws(WireError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw unexpected("a hex digit")
            }
            value = value << 4 | UInt32(digit)
            place += 1
        }
        return value
    }

    private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: wanted) else { return false }
        place += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { place += 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private func unexpected(_ wanted: String) -> WireError {
        WireError("expected \(wanted) at byte \(place)")
    }
}
