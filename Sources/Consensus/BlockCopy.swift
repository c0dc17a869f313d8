/// What one node still has of a block that is corrupt there: untrusted bytes, from the first byte of the header on.
package struct BlockCopy: Sendable, Equatable {
    /// May end early, or run on behind the end of the block.
    package var bytes: [UInt8]
    /// Parts of `bytes` that the disk could not read, in order and apart from each other; what stands there means nothing.
    package var unreadable: [Range<Int>]

    package init(bytes: [UInt8], unreadable: [Range<Int>] = []) {
        self.bytes = bytes
        self.unreadable = unreadable
    }

    /// The bytes of a part of the block: nil where this copy has none.
    func readable(_ range: Range<Int>) -> [UInt8?] {
        var part = [UInt8?](repeating: nil, count: range.count)
        for place in range.clamped(to: 0..<bytes.count) { part[place - range.lowerBound] = bytes[place] }
        for gap in unreadable {
            for place in gap.clamped(to: range) { part[place - range.lowerBound] = nil }
        }
        return part
    }
}
