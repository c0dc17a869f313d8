/// What goes over a client's connection: one `ClientHello` each way, then requests one way and responses the other.
///
/// The `append` functions write whole frames, length included; the `decode` functions take a frame's body. Who encodes
/// must keep a body within `Framing.maximumClientFrame`, or the other side will close the connection.
package enum ClientCodec {
    /// The first bytes of a greeting's body: "JBCL".
    private static let magic: [UInt8] = [0x4a, 0x42, 0x43, 0x4c]

    /// The whole frame of a greeting.
    package static func encode(_ hello: ClientHello) -> [UInt8] {
        var writer = ByteWriter()
        let frame = writer.beginFrame()
        writer.raw(magic)
        writer.formats(hello.formats)
        writer.string(hello.cluster)
        writer.varint(hello.node)
        writer.bool(hello.leader != nil)
        if let leader = hello.leader { writer.string(leader) }
        writer.varint(hello.term)
        writer.extensions(hello.extensions)
        writer.endFrame(frame)
        return writer.bytes
    }

    /// Reads a greeting's body, whatever formats the sender speaks: the layout is the same in all of them.
    package static func decodeHello(_ body: UnsafeRawBufferPointer) throws(WireError) -> ClientHello {
        var reader = ByteReader(body)
        guard body.count >= magic.count, try reader.raw(magic.count) == magic else {
            throw WireError("this is not a jobboard client or node")
        }
        let formats = try reader.formats()
        let cluster = try reader.string()
        let node = try reader.varint()
        let leader = try reader.bool() ? reader.string() : nil
        let term = try reader.varint()
        let hello = ClientHello(
            formats: formats, cluster: cluster, node: node, leader: leader, term: term, extensions: try reader.extensions())
        try reader.finish()
        return hello
    }
}
