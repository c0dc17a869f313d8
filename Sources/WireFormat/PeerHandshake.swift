package import Consensus

/// The first thing each node sends on a TCP connection to another.
package struct PeerHello: Sendable, Equatable {
    /// The formats that the sender speaks.
    package var formats: FormatRange
    /// The cluster's name.
    package var cluster: String
    package var from: NodeID
    /// The node that the sender means to talk to.
    package var to: NodeID
    /// Random bytes: they make both proofs and the keys of the stream those of this connection alone.
    package var nonce: [UInt8]
    package var extensions: [GreetingExtension]

    /// The formats that this version speaks.
    package static let formats = FormatRange(1, 1)
    package static let nonceLength = 32

    package init(
        formats: FormatRange = PeerHello.formats, cluster: String, from: NodeID, to: NodeID, nonce: [UInt8],
        extensions: [GreetingExtension] = []
    ) {
        precondition(nonce.count == Self.nonceLength, "a nonce of \(nonce.count) bytes")
        self.formats = formats
        self.cluster = cluster
        self.from = from
        self.to = to
        self.nonce = nonce
        self.extensions = extensions
    }
}

/// The second thing: that the sender knows the cluster's secret, by a code over both greetings.
package struct PeerProof: Sendable, Equatable {
    package var code: [UInt8]

    package static let codeLength = 32

    package init(code: [UInt8]) {
        precondition(code.count == Self.codeLength, "a proof of \(code.count) bytes")
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
        writer.formats(hello.formats)
        writer.string(hello.cluster)
        writer.varint(hello.from.rawValue)
        writer.varint(hello.to.rawValue)
        writer.raw(hello.nonce)
        writer.extensions(hello.extensions)
        writer.endFrame(frame)
        return writer.bytes
    }

    /// Reads a greeting's body, whatever formats the sender speaks: the layout is the same in all of them.
    package static func decodeHello(_ body: UnsafeRawBufferPointer) throws(WireError) -> PeerHello {
        var reader = ByteReader(body)
        guard body.count >= helloMagic.count, try reader.raw(helloMagic.count) == helloMagic else {
            throw WireError("this is not a jobboard node")
        }
        let hello = PeerHello(
            formats: try reader.formats(), cluster: try reader.string(), from: NodeID(try reader.varint()),
            to: NodeID(try reader.varint()), nonce: try reader.raw(PeerHello.nonceLength), extensions: try reader.extensions())
        try reader.finish()
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
        let code = try reader.raw(PeerProof.codeLength)
        try reader.finish()
        return PeerProof(code: code)
    }
}
