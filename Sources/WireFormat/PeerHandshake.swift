package import Consensus

/// The first thing each node sends on a TCP connection to another.
package struct PeerHello: Sendable, Equatable {
    /// The newest protocol version that the sender speaks.
    package var version: UInt16
    /// The cluster's name.
    package var cluster: String
    package var from: NodeID
    /// Whom the sender means to talk to.
    package var to: NodeID
    /// Sixteen random bytes that the other side's proof must cover.
    package var nonce: [UInt8]

    package static let currentVersion: UInt16 = 1
    package static let nonceLength = 16

    package init(
        version: UInt16 = PeerHello.currentVersion, cluster: String, from: NodeID, to: NodeID, nonce: [UInt8]
    ) {
        precondition(nonce.count == Self.nonceLength, "a nonce of \(nonce.count) bytes")
        self.version = version
        self.cluster = cluster
        self.from = from
        self.to = to
        self.nonce = nonce
    }
}

/// The second thing: that the sender knows the cluster's secret, by a code over both greetings.
package struct PeerProof: Sendable, Equatable {
    /// Sixteen or thirty-two bytes.
    package var code: [UInt8]

    package init(code: [UInt8]) {
        precondition(code.count == 16 || code.count == 32, "a proof of \(code.count) bytes")
        self.code = code
    }
}

extension PeerCodec {
    /// The first bytes of a greeting's body: "JBPH".
    private static let helloMagic: [UInt8] = [0x4a, 0x42, 0x50, 0x48]
    /// The first bytes of a proof's body: "JBPP".
    private static let proofMagic: [UInt8] = [0x4a, 0x42, 0x50, 0x50]

    /// The whole frame of a greeting.
    package static func encode(_ hello: PeerHello) -> [UInt8] {
        var writer = ByteWriter()
        let frame = writer.beginFrame()
        writer.raw(helloMagic)
        writer.u16(hello.version)
        writer.string(hello.cluster)
        writer.varint(hello.from.rawValue)
        writer.varint(hello.to.rawValue)
        writer.raw(hello.nonce)
        writer.endFrame(frame)
        return writer.bytes
    }

    /// Reads a greeting's body. A newer version may have put more after what this one knows; that is left aside.
    package static func decodeHello(_ body: UnsafeRawBufferPointer) throws(WireError) -> PeerHello {
        var reader = ByteReader(body)
        guard try reader.raw(helloMagic.count) == helloMagic else { throw WireError("this is not a jobboard node") }
        let version = try reader.u16()
        guard version > 0 else { throw WireError("protocol version 0") }
        let hello = PeerHello(
            version: version, cluster: try reader.string(), from: NodeID(try reader.varint()), to: NodeID(try reader.varint()),
            nonce: try reader.raw(PeerHello.nonceLength))
        if version <= PeerHello.currentVersion { try reader.finish() }
        return hello
    }

    /// The whole frame of a proof.
    package static func encode(_ proof: PeerProof) -> [UInt8] {
        var writer = ByteWriter()
        let frame = writer.beginFrame()
        writer.raw(proofMagic)
        writer.raw(proof.code)
        writer.endFrame(frame)
        return writer.bytes
    }

    /// Reads a proof's body.
    package static func decodeProof(_ body: UnsafeRawBufferPointer) throws(WireError) -> PeerProof {
        var reader = ByteReader(body)
        guard try reader.raw(proofMagic.count) == proofMagic else { throw WireError("this is not a proof") }
        guard reader.remaining == 16 || reader.remaining == 32 else {
            throw WireError("a proof of \(reader.remaining) bytes")
        }
        return PeerProof(code: try reader.raw(reader.remaining))
    }
}
