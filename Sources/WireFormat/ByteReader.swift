package import Jobboard

/// Reads what `ByteWriter` wrote. Total: garbage of any kind is a `WireError`, never a crash or a large reservation.
///
/// It borrows the bytes, so it must not outlive the closure that handed them out.
package struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// How many bytes are left.
    package var remaining: Int { bytes.count - place }

    /// Throws unless everything has been read.
    package func finish() throws(WireError) {
        guard remaining == 0 else { throw WireError("\(remaining) bytes too many") }
    }

    package mutating func u8() throws(WireError) -> UInt8 {
        guard place < bytes.count else { throw endsEarly(1) }
        defer { place += 1 }
        return bytes[place]
    }

    package mutating func bool() throws(WireError) -> Bool {
        let value = try u8()
        guard value <= 1 else { throw WireError("\(value) is neither true nor false") }
        return value == 1
    }

    package mutating func u16() throws(WireError) -> UInt16 {
        UInt16(littleEndian: try load(2, as: UInt16.self))
    }

    package mutating func u32() throws(WireError) -> UInt32 {
        UInt32(littleEndian: try load(4, as: UInt32.self))
    }

    package mutating func u64() throws(WireError) -> UInt64 {
        UInt64(littleEndian: try load(8, as: UInt64.self))
    }

    /// The only accepted form is the shortest one, as `ByteWriter.varint` makes it.
    package mutating func varint() throws(WireError) -> UInt64 {
        let first = try u8()
        if first < 0x80 { return UInt64(first) }
        var value = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        while true {
            let byte = try u8()
            guard shift < 63 || byte <= 1 else { throw WireError("a number of more than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 {
                guard byte != 0 else { throw WireError("a number longer than it need be") }
                return value
            }
            shift += 7
        }
    }

    package mutating func varint32() throws(WireError) -> UInt32 {
        let value = try varint()
        guard let small = UInt32(exactly: value) else { throw WireError("\(value) does not fit 32 bits") }
        return small
    }

    package mutating func signedVarint() throws(WireError) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// Sixteen bytes, the high half's most significant byte first.
    package mutating func pair() throws(WireError) -> (high: UInt64, low: UInt64) {
        (UInt64(bigEndian: try load(8, as: UInt64.self)), UInt64(bigEndian: try load(8, as: UInt64.self)))
    }

    /// Exactly `count` bytes, still borrowed.
    package mutating func view(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw endsEarly(count) }
        defer { place += count }
        return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
    }

    /// Exactly `count` bytes, copied.
    package mutating func raw(_ count: Int) throws(WireError) -> [UInt8] {
        [UInt8](try view(count))
    }

    /// Bytes behind a varint length.
    package mutating func byteString() throws(WireError) -> [UInt8] {
        try raw(length(varint()))
    }

    /// Bytes behind a `u32` length, still borrowed.
    package mutating func longView() throws(WireError) -> UnsafeRawBufferPointer {
        try view(length(UInt64(u32())))
    }

    /// UTF-8 behind a varint length; anything that is not well-formed is refused.
    package mutating func string() throws(WireError) -> String {
        try string(length(varint()))
    }

    /// The same for what may have `maximum` bytes at most.
    package mutating func string(maximum: Int) throws(WireError) -> String {
        let bytes = try length(varint())
        guard bytes <= maximum else { throw WireError("a text of \(bytes) bytes; the most is \(maximum)") }
        return try string(bytes)
    }

    private mutating func string(_ bytes: Int) throws(WireError) -> String {
        let utf8 = try view(bytes).assumingMemoryBound(to: UInt8.self)
        // Nearly all text is ASCII, and for that the standard library's general validation is several times slower.
        if utf8.reduce(0, |) < 0x80 { return String(decoding: utf8, as: UTF8.self) }
        guard let text = String(validating: utf8, as: UTF8.self) else { throw WireError("text that is not UTF-8") }
        return text
    }

    /// How many items follow, each at least `minimumSize` bytes: never more than `maximum`, nor than the bytes left can hold,
    /// so that it is safe to reserve room for them.
    package mutating func count(minimumSize: Int, maximum: Int) throws(WireError) -> Int {
        let count = try varint()
        guard count <= UInt64(maximum) else { throw WireError("\(count) items announced; the most is \(maximum)") }
        guard count <= UInt64(remaining / minimumSize) else {
            throw WireError("\(count) items announced, too many for the \(remaining) bytes left")
        }
        return Int(count)
    }

    /// Bits that say which optional fields follow; bits outside `known` are from a stranger.
    package mutating func flags(known: UInt64) throws(WireError) -> UInt64 {
        let flags = try varint()
        guard flags & ~known == 0 else { throw WireError("unknown flags \(flags & ~known)") }
        return flags
    }

    /// One byte whose bits are the members of a set.
    package mutating func states() throws(WireError) -> JobStates {
        let mask = try u8()
        guard let states = JobStates(mask: mask) else { throw WireError("unknown job states \(mask)") }
        return states
    }

    /// The same for priorities.
    package mutating func priorities() throws(WireError) -> Priorities {
        let mask = try u8()
        guard let priorities = Priorities(mask: mask) else { throw WireError("unknown priorities \(mask)") }
        return priorities
    }

    /// One byte that names a case.
    package mutating func tag<Tag: RawRepresentable>(_ what: StaticString) throws(WireError) -> Tag where Tag.RawValue == UInt8 {
        let raw = try u8()
        guard let tag = Tag(rawValue: raw) else { throw WireError("unknown \(what) \(raw)") }
        return tag
    }

    private func length(_ value: UInt64) throws(WireError) -> Int {
        guard value <= UInt64(remaining) else { throw WireError("\(value) bytes announced, \(remaining) left") }
        return Int(value)
    }

    private mutating func load<Number: BitwiseCopyable>(_ size: Int, as type: Number.Type) throws(WireError) -> Number {
        guard size <= remaining else { throw endsEarly(size) }
        defer { place += size }
        return bytes.loadUnaligned(fromByteOffset: place, as: type)
    }

    private func endsEarly(_ needed: Int) -> WireError {
        WireError("ends early: \(needed) bytes needed, \(remaining) left")
    }
}
