/// Tells JSON text (RFC 8259) from anything else, without building a value. Total: any bytes get an answer, nesting
/// deeper than 128 is refused, and no recursion.
package enum JSONSyntax {
    /// How deep arrays and objects may nest (RFC 8259, section 9, lets a parser say).
    package static let maxDepth = 128

    /// Whether the bytes are one JSON value in valid UTF-8, with nothing but white space around it.
    package static func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var scanner = JSONScanner(bytes: buffer)
            return scanner.document()
        }
    }
}

/// A walk over the bytes, from left to right and never back.
private struct JSONScanner {
    let bytes: UnsafeRawBufferPointer
    var place = 0
    /// Of each open bracket, the innermost in the lowest bit: 1 for an object, 0 for an array.
    var brackets: UInt128 = 0
    var depth = 0

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The byte here; 0, which no token starts with, at the end.
    var byte: UInt8 { place < bytes.count ? bytes[place] : 0 }
    var inObject: Bool { brackets & 1 == 1 }

    mutating func document() -> Bool {
        while true {
            skipSpace()
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard open() else { return false }
                if byte == (inObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    close()
                } else {
                    if inObject, !memberName() { return false }
                    continue
                }
            case UInt8(ascii: "\""): guard string() else { return false }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): guard number() else { return false }
            case UInt8(ascii: "t"): guard literal("true") else { return false }
            case UInt8(ascii: "f"): guard literal("false") else { return false }
            case UInt8(ascii: "n"): guard literal("null") else { return false }
            default: return false
            }
            guard let more = afterValue() else { return false }
            if !more { return true }
        }
    }

    /// After a value: true when another must follow, false at the end of the text, nil for an error.
    private mutating func afterValue() -> Bool? {
        while true {
            skipSpace()
            if depth == 0 { return place == bytes.count ? false : nil }
            switch byte {
            case UInt8(ascii: ","):
                place += 1
                if inObject {
                    skipSpace()
                    guard memberName() else { return nil }
                }
                return true
            case UInt8(ascii: "}"):
                guard inObject else { return nil }
                close()
            case UInt8(ascii: "]"):
                guard !inObject else { return nil }
                close()
            default: return nil
            }
        }
    }

    private mutating func open() -> Bool {
        guard depth < JSONSyntax.maxDepth else { return false }
        depth += 1
        brackets = brackets << 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
        place += 1
        skipSpace()
        return true
    }

    private mutating func close() {
        depth -= 1
        brackets >>= 1
        place += 1
    }

    private mutating func skipSpace() {
        while place < bytes.count {
            let byte = bytes[place]
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
            place += 1
        }
    }

    private mutating func memberName() -> Bool {
        guard byte == UInt8(ascii: "\""), string() else { return false }
        skipSpace()
        guard byte == UInt8(ascii: ":") else { return false }
        place += 1
        return true
    }

    private mutating func literal(_ word: StaticString) -> Bool {
        guard bytes.count - place >= word.utf8CodeUnitCount else { return false }
        for offset in 0..<word.utf8CodeUnitCount where bytes[place + offset] != word.utf8Start[offset] { return false }
        place += word.utf8CodeUnitCount
        return true
    }

    private mutating func digits() -> Bool {
        let start = place
        while place < bytes.count, bytes[place] &- UInt8(ascii: "0") < 10 { place += 1 }
        return place > start
    }

    /// RFC 8259, section 6.
    private mutating func number() -> Bool {
        if byte == UInt8(ascii: "-") { place += 1 }
        if byte == UInt8(ascii: "0") { place += 1 } else { guard digits() else { return false } }
        if byte == UInt8(ascii: ".") {
            place += 1
            guard digits() else { return false }
        }
        if byte | 0x20 == UInt8(ascii: "e") {
            place += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { place += 1 }
            guard digits() else { return false }
        }
        return true
    }

    /// RFC 8259, section 7; `place` is at the opening quote.
    private mutating func string() -> Bool {
        place += 1
        while true {
            skipPlain()
            guard place < bytes.count else { return false }
            let byte = bytes[place]
            switch byte {
            case UInt8(ascii: "\""):
                place += 1
                return true
            case UInt8(ascii: "\\"): guard escape() else { return false }
            case 0..<0x20: return false
            case 0x20..<0x80: place += 1
            default: guard multiByte() else { return false }
            }
        }
    }

    /// Eight bytes at a time while all are ASCII and none needs a look: no quote, backslash or control character.
    private mutating func skipPlain() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        while place + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5c)
            let control = (word &- ones &* 0x20) & ~word
            let special = word | control | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
            guard special & (ones &* 0x80) == 0 else { return }
            place += 8
        }
    }

    private mutating func escape() -> Bool {
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            place += 1
            return true
        case UInt8(ascii: "u"):
            place += 1
            guard bytes.count - place >= 4 else { return false }
            for offset in 0..<4 {
                let digit = bytes[place + offset]
                guard digit &- UInt8(ascii: "0") < 10 || (digit | 0x20) &- UInt8(ascii: "a") < 6 else { return false }
            }
            place += 4
            return true
        default: return false
        }
    }

    /// One character beyond ASCII (Unicode 16, table 3-7: well-formed UTF-8 byte sequences).
    private mutating func multiByte() -> Bool {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch bytes[place] {
        case 0xc2...0xdf: length = 2
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: length = 3
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: length = 4
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default: return false
        }
        guard bytes.count - place >= length, second.contains(bytes[place + 1]) else { return false }
        for offset in 2..<max(length, 2) where bytes[place + offset] & 0xc0 != 0x80 { return false }
        place += length
        return true
    }
}
