/// Appends numbers and text to bytes, little-endian and compact.
///
/// There is exactly one way to write a value, and `ByteReader` accepts no other: what decodes encodes to the same bytes.
package struct ByteWriter: Sendable {
    /// What was written so far.
    package private(set) var bytes: [UInt8]

    package init() {
        bytes = []
    }

    /// Takes over the bytes, to append to them without a copy; `give(to:)` puts them back.
    package init(taking output: inout [UInt8]) {
        bytes = []
        swap(&bytes, &output)
    }

    /// Hands the bytes over and is empty afterwards.
    package mutating func give(to output: inout [UInt8]) {
        output = []
        swap(&bytes, &output)
    }

    /// Takes the last bytes back.
    package mutating func removeLast(_ count: Int) { bytes.removeLast(count) }

    package mutating func u8(_ value: UInt8) {
        bytes.append(value)
    }

    package mutating func bool(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    package mutating func u16(_ value: UInt16) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func u32(_ value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func u64(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Seven bits a byte, the lowest first, the top bit set while more follow (LEB128, as in DWARF 5, section 7.6).
    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// A varint in which small negative numbers are short too: 0, -1, 1, -2, … become 0, 1, 2, 3, …
    package mutating func signedVarint(_ value: Int64) {
        varint(UInt64(bitPattern: value << 1 ^ value >> 63))
    }

    /// Sixteen bytes in the order in which people write them: the high half's most significant byte first.
    package mutating func pair(high: UInt64, low: UInt64) {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { bytes.append(contentsOf: $0) }
    }

    /// The bytes alone, without a length.
    package mutating func raw(_ value: [UInt8]) {
        bytes.append(contentsOf: value)
    }

    /// The length as a varint, then the bytes.
    package mutating func byteString(_ value: [UInt8]) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// The length as a `u32`, then the bytes: for blocks, whose length can then be patched or skipped in place.
    package mutating func longByteString(_ value: [UInt8]) {
        precondition(value.count <= UInt32.max, "\(value.count) bytes do not fit a 32-bit length")
        u32(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    /// The length in UTF-8 bytes as a varint, then the text.
    package mutating func string(_ value: String) {
        let utf8 = value.utf8
        varint(UInt64(utf8.count))
        let appended: Void? = utf8.withContiguousStorageIfAvailable { bytes.append(contentsOf: $0) }
        if appended == nil { bytes.append(contentsOf: utf8) }
    }

    /// Leaves room for a frame's length; `endFrame` with the same place fills it in.
    package mutating func beginFrame() -> Int {
        let place = bytes.count
        u32(0)
        return place
    }

    /// Writes the length of everything since `beginFrame` into the room it left.
    package mutating func endFrame(_ place: Int) {
        let length = bytes.count - place - Framing.prefixLength
        precondition(length >= 0 && length <= UInt32.max, "a frame of \(length) bytes")
        bytes.withUnsafeMutableBytes { all in
            all.storeBytes(of: UInt32(length).littleEndian, toByteOffset: place, as: UInt32.self)
        }
    }
}
