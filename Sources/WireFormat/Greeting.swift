/// The formats that one side of a connection speaks, from the oldest to the newest.
///
/// Both sides name theirs in their greeting, and speak the newest that both know.
package struct FormatRange: Sendable, Equatable, CustomStringConvertible {
    package let oldest: UInt16
    package let newest: UInt16

    package init(_ oldest: UInt16, _ newest: UInt16) {
        precondition(oldest > 0 && oldest <= newest, "formats \(oldest) to \(newest)")
        self.oldest = oldest
        self.newest = newest
    }

    package var description: String { oldest == newest ? "format \(oldest)" : "formats \(oldest) to \(newest)" }

    /// The newest format that both sides know. Throws when there is none; the message names both ranges.
    package func newestInCommon(with other: FormatRange) throws(WireError) -> UInt16 {
        let newest = min(newest, other.newest)
        guard newest >= max(oldest, other.oldest) else {
            throw WireError("it speaks \(other), and this side \(self): there is none that both know")
        }
        return newest
    }
}

/// What a greeting carries besides its fixed fields. A type that the receiver does not know is ignored, so greetings can
/// grow without a new format.
package struct GreetingExtension: Sendable, Equatable {
    package var type: UInt64
    package var value: [UInt8]

    /// How many a greeting may have; all of it is bounded by `Framing.maximumHelloFrame`.
    package static let maximumCount = 16

    package init(type: UInt64, value: [UInt8]) {
        self.type = type
        self.value = value
    }
}

extension ByteWriter {
    mutating func formats(_ formats: FormatRange) {
        u16(formats.oldest)
        u16(formats.newest)
    }

    /// A count, then the type, the length and the bytes of each, in ascending order of type.
    mutating func extensions(_ extensions: [GreetingExtension]) {
        precondition(extensions.count <= GreetingExtension.maximumCount, "\(extensions.count) extensions")
        varint(UInt64(extensions.count))
        for place in extensions.indices {
            precondition(place == 0 || extensions[place].type > extensions[place - 1].type, "extensions out of order")
            varint(extensions[place].type)
            byteString(extensions[place].value)
        }
    }
}

extension ByteReader {
    mutating func formats() throws(WireError) -> FormatRange {
        let (oldest, newest) = (try u16(), try u16())
        guard oldest > 0, oldest <= newest else { throw WireError("formats \(oldest) to \(newest)") }
        return FormatRange(oldest, newest)
    }

    mutating func extensions() throws(WireError) -> [GreetingExtension] {
        let count = try count(minimumSize: 2, maximum: GreetingExtension.maximumCount)
        var extensions: [GreetingExtension] = []
        for _ in 0..<count {
            let next = GreetingExtension(type: try varint(), value: try byteString())
            if let last = extensions.last, next.type <= last.type { throw WireError("extensions out of order") }
            extensions.append(next)
        }
        return extensions
    }
}
