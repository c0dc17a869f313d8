/// Keeps the last line of a text that comes in pieces.
struct LineTail {
    /// Of a longer line its beginning is kept.
    static let longest = 200

    private var current: [UInt8] = []
    private var complete: [UInt8] = []

    mutating func add(_ bytes: [UInt8]) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if Self.saysSomething(current) { complete = current }
                current.removeAll(keepingCapacity: true)
            } else if current.count <= Self.longest {
                current.append(byte)
            }
        }
    }

    /// The last line with something in it, cut to what is kept; empty when there is none.
    var line: String {
        let last = Self.saysSomething(current) ? current : complete
        guard last.count > Self.longest else { return Self.text(last) }
        return Self.text(Self.cut(last)) + "…"
    }

    /// Its beginning, without a character that is cut in two.
    private static func cut(_ line: [UInt8]) -> [UInt8] {
        var end = longest
        // UTF-8: what is like 0b10xxxxxx goes on with a character.
        while end > longest - 4, line[end] & 0b1100_0000 == 0b1000_0000 { end -= 1 }
        return Array(line[..<end])
    }

    private static func saysSomething(_ line: [UInt8]) -> Bool {
        line.contains { $0 > 0x20 }
    }

    private static func text(_ line: [UInt8]) -> String {
        Console.printable(String(decoding: line, as: UTF8.self))
    }
}
