/// How messages are told apart on a TCP stream: a `u32` length of what follows, then the body.
package enum Framing {
    /// Bytes of the length before each body.
    package static let prefixLength = 4
    /// The longest body of a client's or a node's client-facing frame, in bytes: a post list of 4 MiB fits with room to spare.
    package static let maximumClientFrame = 6 << 20
    /// The longest body of a frame between nodes, in bytes.
    package static let maximumPeerFrame = 32 << 20
    /// The most bytes of frames in one sealed record of a stream between nodes: what a receiver holds before it can check it.
    package static let maximumRecord = 64 << 10
    /// The longest body of a greeting or proof, in bytes: the first frames of a connection, of which a stranger's first
    /// four bytes are nearly always too large a length.
    package static let maximumHelloFrame = 4096

    /// Judges a length prefix: how many bytes of body follow. Throws for an empty body and for one above `maximum`;
    /// after that nothing on the stream can be believed, and the connection must be closed.
    package static func bodyLength(_ prefix: UInt32, maximum: Int) throws(WireError) -> Int {
        guard prefix > 0 else { throw WireError("an empty frame") }
        guard prefix <= maximum else { throw WireError("a frame of \(prefix) bytes; the most is \(maximum)") }
        return Int(prefix)
    }
}
