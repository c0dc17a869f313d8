import Consensus
package import WireFormat

/// Decodes a body and encodes what came out: of each value there is one encoding, so this must give the same bytes.
package enum Recoding {
    /// The number of commands, which the log keeps in the block's header, stands in the first byte.
    package static func commands(_ body: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        guard let count = body.first else { throw WireError("no count") }
        let payload = UnsafeRawBufferPointer(rebasing: body.dropFirst())
        return [count] + CommandCodec.encode(try CommandCodec.decode(payload, count: Int(count)))
    }

    package static func request(_ body: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        let (number, request) = try ClientCodec.decodeRequest(body)
        var frame: [UInt8] = []
        ClientCodec.append(request, number: number, to: &frame)
        return withoutLength(frame)
    }

    package static func response(_ body: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        let (number, response) = try ClientCodec.decodeResponse(body)
        var frame: [UInt8] = []
        ClientCodec.append(response, number: number, to: &frame)
        return withoutLength(frame)
    }

    package static func clientHello(_ body: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        withoutLength(ClientCodec.encode(try ClientCodec.decodeHello(body)))
    }

    package static func peerHello(_ body: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        withoutLength(PeerCodec.encode(try PeerCodec.decodeHello(body)))
    }

    package static func peerProof(_ body: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        withoutLength(PeerCodec.encode(try PeerCodec.decodeProof(body)))
    }

    /// Blocks are kept as they are; they have decoders of their own.
    package static func peer(_ body: UnsafeRawBufferPointer) throws -> [UInt8] {
        PeerCodec.encodeBody(
            try PeerCodec.decodeBody(body) { block in
                Entry(
                    kind: .commands, term: 1, index: 1, time: 0, firstCommand: 0, commandCount: 0, parent: .zero,
                    digest: .zero, block: [UInt8](block))
            })
    }

    package static func transfer(_ body: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        let (node, transfer) = try TransferCodec.decode(body)
        var frame: [UInt8] = []
        TransferCodec.append(transfer, from: node, to: &frame)
        return withoutLength(frame)
    }

    private static func withoutLength(_ frame: [UInt8]) -> [UInt8] {
        Array(frame.dropFirst(Framing.prefixLength))
    }
}
