import Consensus
import Crypto

/// What the nodes of a cluster know and strangers do not: it signs datagrams, proves who dials and who answers, and gives each
/// stream its keys.
///
/// Each use has a key of its own, derived from the secret with HKDF (RFC 5869). HKDF is fast, so it protects no secret that can
/// be guessed: `refusal(of:)` keeps out short ones, and `fresh()` makes one of 256 random bits.
package struct ClusterSecret: Sendable {
    private let datagramKey: SymmetricKey
    private let proofKey: SymmetricKey
    private let streamKey: SymmetricKey

    package init(_ secret: String, cluster: String) {
        func derive(_ use: String) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: Array(secret.utf8)), salt: Array("jobboard secret\0\(cluster)".utf8),
                info: Array(use.utf8), outputByteCount: 32)
        }
        datagramKey = derive("datagrams")
        proofKey = derive("proofs")
        streamKey = derive("streams")
    }

    static let codeBytes = 16

    /// The first 16 bytes of HMAC-SHA-256 (RFC 2104; truncation as its section 5 allows).
    package func code(over bytes: some Sequence<UInt8>) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(bytes), using: datagramKey).prefix(Self.codeBytes))
    }

    /// Compares in constant time.
    func isValid(_ code: some Collection<UInt8>, over bytes: some Sequence<UInt8>) -> Bool {
        let expected = self.code(over: bytes)
        guard code.count == expected.count else { return false }
        return zip(code, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    // MARK: Streams

    /// What a side of a stream proves: that it knows the secret and has seen both greetings, and which side it is.
    func proof(by role: PeerRole, of greetings: PeerTranscript) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: greetings.text(role), using: proofKey))
    }

    /// Compares in constant time.
    func isValid(proof code: [UInt8], by role: PeerRole, of greetings: PeerTranscript) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: greetings.text(role), using: proofKey)
    }

    /// The key of what `sender` sends on the stream that began with these greetings. Both sides put random bytes into their
    /// greeting, so no two streams have the same.
    func streamKey(of sender: PeerRole, _ greetings: PeerTranscript) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: streamKey, salt: greetings.bytes, info: Array("jobboard stream \(sender.rawValue)".utf8),
            outputByteCount: 32)
    }
}

extension ClusterSecret {
    /// A secret is at least this long, in characters.
    package static let minimumLength = 32

    /// A new secret: 256 random bits as 64 hexadecimal digits.
    package static func fresh() -> String {
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef")
        return String((0..<64).map { _ in digits[Int.random(in: 0..<16, using: &generator)] })
    }

    /// Why this is no secret to use, as the end of a sentence that names it; nil when it is one.
    static func refusal(of secret: String) -> String? {
        guard secret.count < minimumLength else { return nil }
        return "has \(secret.count) characters and needs at least \(minimumLength); `jobboard secret new` makes one"
    }
}

/// The two sides of a TCP connection between nodes.
enum PeerRole: String, Sendable {
    case dialer
    case acceptor

    var other: PeerRole { self == .dialer ? .acceptor : .dialer }
}

/// Both greetings of a stream as they were sent: the SHA-256 of each body.
struct PeerTranscript: Sendable {
    let bytes: [UInt8]

    init(dialer: UnsafeRawBufferPointer, acceptor: UnsafeRawBufferPointer) {
        bytes = Array(SHA256.hash(data: dialer)) + Array(SHA256.hash(data: acceptor))
    }

    fileprivate func text(_ role: PeerRole) -> [UInt8] {
        Array("\(role.rawValue)\0".utf8) + bytes
    }
}
