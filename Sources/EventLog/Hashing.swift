import Consensus
import Crypto

/// SHA-256 cut to its first 16 bytes (FIPS 180-4; cutting it as in NIST SP 800-107, section 5.1).
enum Hashing {
    static func digest(_ bytes: UnsafeRawBufferPointer) -> Consensus.Digest {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        return cut(hash.finalize())
    }

    /// The digest of the two parts laid end to end.
    static func digest(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Consensus.Digest {
        var hash = SHA256()
        hash.update(bufferPointer: first)
        hash.update(bufferPointer: second)
        return cut(hash.finalize())
    }

    private static func cut(_ digest: SHA256.Digest) -> Consensus.Digest {
        digest.withUnsafeBytes { $0.digest(at: 0) }
    }
}
