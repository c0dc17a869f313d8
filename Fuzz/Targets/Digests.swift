import Crypto

/// Makes checksums right again after a mutation, so that fuzzing reaches what lies behind them. Written from the formats'
/// description and not with the log's own code.
enum Digests {
    static let cluster = "fuzz"
    static let bytes = 16

    /// The first 16 bytes of a SHA-256.
    static func of(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        Array(SHA256.hash(data: Array(bytes)).prefix(Self.bytes))
    }
}

extension [UInt8] {
    /// Overwrites the bytes from `offset` on.
    mutating func put(_ bytes: some Collection<UInt8>, at offset: Int) {
        replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    mutating func put(_ number: UInt32, at offset: Int) {
        put(Swift.withUnsafeBytes(of: number.littleEndian) { Array($0) }, at: offset)
    }

    mutating func put(_ number: UInt64, at offset: Int) {
        put(Swift.withUnsafeBytes(of: number.littleEndian) { Array($0) }, at: offset)
    }

    func number32(at offset: Int) -> UInt32 {
        UInt32(littleEndian: withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) })
    }
}
