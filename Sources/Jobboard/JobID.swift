/// The identity of a job: a UUID (RFC 9562), chosen by whoever posts it.
public struct JobID: Hashable, Sendable {
    /// The first eight bytes, as one big-endian number.
    package let high: UInt64
    /// The last eight bytes, as one big-endian number.
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A random (version 4) identity.
    public static func random(using generator: inout some RandomNumberGenerator) -> JobID {
        let high: UInt64 = generator.next()
        let low: UInt64 = generator.next()
        return JobID(high: high & 0xffff_ffff_ffff_0fff | 0x4000, low: low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
    }

    /// A random (version 4) identity from the system's generator.
    public static func random() -> JobID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// Reads the 36-character form, in either case; anything else is nil.
    public init?(_ text: some StringProtocol) {
        var halves: (UInt64, UInt64) = (0, 0)
        var digits = 0
        var place = 0
        for byte in text.utf8 {
            if place == 8 || place == 13 || place == 18 || place == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let value = Self.hexValue(byte) else { return nil }
                if digits < 16 { halves.0 = halves.0 << 4 | value } else { halves.1 = halves.1 << 4 | value }
                digits += 1
            }
            place += 1
            guard place <= 36 else { return nil }
        }
        guard place == 36 else { return nil }
        (high, low) = halves
    }

    private static func hexValue(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

extension JobID: Comparable {
    /// The order of the 16 bytes.
    public static func < (left: JobID, right: JobID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension JobID: CustomStringConvertible {
    /// The 36-character lower-case form.
    public var description: String {
        String(unsafeUninitializedCapacity: 36) { text in
            let digits: StaticString = "0123456789abcdef"
            var place = 0
            for shift in stride(from: 124, through: 0, by: -4) {
                if place == 8 || place == 13 || place == 18 || place == 23 {
                    text[place] = UInt8(ascii: "-")
                    place += 1
                }
                let half = shift >= 64 ? high : low
                text[place] = digits.utf8Start[Int(half >> UInt64(shift & 63) & 15)]
                place += 1
            }
            return 36
        }
    }
}
