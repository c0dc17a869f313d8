extension String {
    /// Whether a C0 or C1 control character is in it (U+0000 to U+001F, U+007F to U+009F): a zero would cut a name short in a
    /// process's environment, and others drive terminals.
    var hasControlCharacter: Bool {
        utf8.withContiguousStorageIfAvailable { UnsafeRawBufferPointer($0).hasControlCharacter }
            ?? Array(utf8).withUnsafeBytes { $0.hasControlCharacter }
    }
}

extension UnsafeRawBufferPointer {
    /// Of UTF-8. Names are checked with every command that is applied, so eight bytes are looked at together where none of
    /// them is beyond ASCII.
    fileprivate var hasControlCharacter: Bool {
        var place = 0
        while place + 8 <= count {
            let word = loadUnaligned(fromByteOffset: place, as: UInt64.self)
            guard word & Self.highBits == 0 else { return hasControlCharacter(from: place) }
            // A byte below 0x20 borrows from its high bit when 0x20 is taken from it; 0x7F becomes zero, and so below 1.
            let low = word &- 0x20 &* Self.ones
            let delete = (word ^ (0x7F &* Self.ones)) &- Self.ones
            guard (low | delete) & Self.highBits == 0 else { return true }
            place += 8
        }
        return hasControlCharacter(from: place)
    }

    private func hasControlCharacter(from start: Int) -> Bool {
        // In UTF-8, U+0080 to U+009F are this byte and one below 0xA0.
        let lead: UInt8 = 0xC2
        var previous: UInt8 = 0
        for place in start..<count {
            let byte = self[place]
            if byte < 0x20 || byte == 0x7F || (previous == lead && byte < 0xA0) { return true }
            previous = byte
        }
        return false
    }

    private static var ones: UInt64 { 0x0101_0101_0101_0101 }
    private static var highBits: UInt64 { 0x8080_8080_8080_8080 }
}
