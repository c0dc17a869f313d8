import Consensus
import Crypto

/// What the nodes of a cluster know and strangers do not: it signs datagrams and greetings.
package struct ClusterSecret: Sendable {
    private let key: SymmetricKey

    package init(_ secret: String, cluster: String) {
        key = SymmetricKey(data: SHA256.hash(data: Array("jobboard 1\0\(cluster)\0\(secret)".utf8)))
    }

    static let codeBytes = 16

    /// The first 16 bytes of HMAC-SHA-256 (RFC 2104; truncation as its section 5 allows).
    package func code(over bytes: some Sequence<UInt8>) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(bytes), using: key).prefix(Self.codeBytes))
    }

    /// Compares in constant time.
    func isValid(_ code: some Collection<UInt8>, over bytes: some Sequence<UInt8>) -> Bool {
        let expected = self.code(over: bytes)
        guard code.count == expected.count else { return false }
        return zip(code, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// What a side of a TCP connection proves: both greetings, and which side it is.
    func proof(by role: PeerRole, dialer: NodeID, acceptor: NodeID, dialerNonce: [UInt8], acceptorNonce: [UInt8]) -> [UInt8] {
        var text = Array("\(role.rawValue) \(dialer) \(acceptor) ".utf8)
        text += dialerNonce
        text += acceptorNonce
        return code(over: text)
    }
}

/// The two sides of a TCP connection between nodes.
enum PeerRole: String, Sendable {
    case dialer
    case acceptor
}
