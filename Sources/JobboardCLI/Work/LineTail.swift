/// Keeps the last line of a text that comes in pieces.
struct LineTail {
    /// A longer line says nothing in short, and is not kept.
    static let longest = 200

    private var current: [UInt8] = []
    private var complete: [UInt8] = []

    mutating func add(_ bytes: [UInt8]) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if current.contains(where: { $0 > 0x20 }) { complete = current }
                current.removeAll(keepingCapacity: true)
            } else if current.count <= Self.longest {
                current.append(byte)
            }
        }
    }

    /// The last line with something in it; empty when there is none or it is too long.
    var line: String {
        let last = current.contains { $0 > 0x20 } ? current : complete
        guard last.count <= Self.longest else { return "" }
        let text = String(decoding: last, as: UTF8.self)
        return String(text.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) })
    }
}
