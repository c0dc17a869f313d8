import Crypto
import Jobboard

/// What nodes keep in place of session tokens. A token is 128 random bits, so a plain hash can't be turned back.
enum SessionHash {
    /// The first 16 bytes of the SHA-256 of the token.
    @Sendable static func key(_ token: SessionToken) -> SessionKey {
        var hash = SHA256()
        withUnsafeBytes(of: token.high.bigEndian) { hash.update(bufferPointer: $0) }
        withUnsafeBytes(of: token.low.bigEndian) { hash.update(bufferPointer: $0) }
        return hash.finalize().withUnsafeBytes { digest in
            SessionKey(
                high: UInt64(bigEndian: digest.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }
}
