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
        writer.u16(hello.version)
        writer.varint(flag(hello.leader != nil, 0))
        writer.string(hello.cluster)
        writer.varint(hello.node)
        if let leader = hello.leader { writer.string(leader) }
        writer.endFrame(frame)
        return writer.bytes
    }

    /// Reads a greeting's body. A newer version may have put more after what this one knows; that is left aside.
    package static func decodeHello(_ body: UnsafeRawBufferPointer) throws(WireError) -> ClientHello {
        var reader = ByteReader(body)
        guard try reader.raw(magic.count) == magic else { throw WireError("this is not a jobboard client or node") }
        let version = try reader.u16()
        guard version > 0 else { throw WireError("protocol version 0") }
        let isNewer = version > ClientHello.currentVersion
        let flags = try reader.flags(known: isNewer ? .max : 0b1)
        let cluster = try reader.string()
        let node = try reader.varint()
        let leader = try flags.has(0) ? reader.string() : nil
        if !isNewer { try reader.finish() }
        return ClientHello(version: version, cluster: cluster, node: node, leader: leader)
    }
}
