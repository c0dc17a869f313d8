import Consensus
import Jobboard
import Testing
import WireFormat

struct RoundTripTests {
    @Test func commandsComeBackAsTheyWere() throws {
        var dice = Dice(seed: 1)
        for _ in 0..<200 {
            let calls = dice.calls()
            let payload = CommandCodec.encode(calls)
            #expect(try payload.withUnsafeBytes { try CommandCodec.decode($0, count: calls.count) } == calls)
        }
    }

    @Test func requestsComeBackAsTheyWere() throws {
        var dice = Dice(seed: 2)
        for _ in 0..<200 {
            for request in dice.requests() {
                let number = dice.number()
                let back = try body(of: request, number: number).withUnsafeBytes { try ClientCodec.decodeRequest($0) }
                #expect(back == (number, request))
            }
        }
    }

    @Test func responsesComeBackAsTheyWere() throws {
        var dice = Dice(seed: 3)
        for _ in 0..<200 {
            for response in dice.responses() {
                let number = dice.number()
                let back = try body(of: response, number: number).withUnsafeBytes { try ClientCodec.decodeResponse($0) }
                #expect(back == (number, response))
            }
        }
    }

    @Test func transfersComeBackAsTheyWere() throws {
        var dice = Dice(seed: 6)
        for _ in 0..<200 {
            for transfer in dice.transfers() {
                let from = NodeID(dice.number())
                var frame: [UInt8] = []
                TransferCodec.append(transfer, from: from, to: &frame)
                let body = Array(frame[Framing.prefixLength...])
                let back = try body.withUnsafeBytes { bytes in
                    #expect(TransferCodec.isTransfer(bytes))
                    return try TransferCodec.decode(bytes)
                }
                #expect(back == (from, transfer))
            }
        }
    }

    @Test func peerFramesComeBackAsTheyWere() throws {
        var dice = Dice(seed: 4)
        for _ in 0..<200 {
            for frame in dice.frames() {
                var whole: [UInt8] = []
                PeerCodec.append(frame, to: &whole)
                #expect(body(of: whole) == PeerCodec.encodeBody(frame))
                let back = try body(of: whole).withUnsafeBytes { body in
                    try PeerCodec.decodeBody(body) { entry(ofBlock: [UInt8]($0)) }
                }
                #expect(back == frame)
            }
        }
    }

    @Test func greetingsAndProofsComeBackAsTheyWere() throws {
        let client = ClientHello(cluster: "c", node: 3, leader: "127.0.0.1:7201")
        #expect(try body(of: ClientCodec.encode(client)).withUnsafeBytes { try ClientCodec.decodeHello($0) } == client)
        let peer = PeerHello(cluster: "c", from: NodeID(1), to: NodeID(2), nonce: Array(0..<16))
        #expect(try body(of: PeerCodec.encode(peer)).withUnsafeBytes { try PeerCodec.decodeHello($0) } == peer)
        for length in [16, 32] {
            let proof = PeerProof(code: Array(repeating: 7, count: length))
            #expect(try body(of: PeerCodec.encode(proof)).withUnsafeBytes { try PeerCodec.decodeProof($0) } == proof)
        }
    }

    @Test func aNewerVersionMayGreetWithMoreThanWeKnow() throws {
        var client = body(of: ClientCodec.encode(ClientHello(version: 2, cluster: "c", node: 1, leader: nil)))
        client += [1, 2, 3]
        #expect(try client.withUnsafeBytes { try ClientCodec.decodeHello($0) }.version == 2)
        var peer = body(
            of: PeerCodec.encode(PeerHello(version: 9, cluster: "c", from: NodeID(1), to: NodeID(2), nonce: Array(0..<16))))
        peer += [1, 2, 3]
        #expect(try peer.withUnsafeBytes { try PeerCodec.decodeHello($0) }.version == 9)
    }

    @Test func framesAreAppendedOneBehindTheOther() throws {
        var dice = Dice(seed: 5)
        let requests = dice.requests()
        var stream: [UInt8] = []
        for (number, request) in requests.enumerated() { ClientCodec.append(request, number: UInt64(number), to: &stream) }
        var rest = stream[...]
        for request in requests {
            let prefix = Array(rest.prefix(4)).withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) }
            let length = try Framing.bodyLength(prefix, maximum: Framing.maximumClientFrame)
            let body = Array(rest.dropFirst(4).prefix(length))
            #expect(try body.withUnsafeBytes { try ClientCodec.decodeRequest($0) }.request == request)
            rest = rest.dropFirst(4 + length)
        }
        #expect(rest.isEmpty)
    }

    @Test func whatTheBlockParserThrowsIsPassedOn() throws {
        struct Rotten: Error {}
        let append = Append(
            term: 1, previousIndex: 0, previousTerm: 0, previousDigest: .zero, commit: 0, entries: [entry(ofBlock: [1])])
        let body = PeerCodec.encodeBody(PeerFrame(from: NodeID(1), hearsDatagrams: false, message: .append(append)))
        #expect(throws: Rotten.self) {
            try body.withUnsafeBytes { body in try PeerCodec.decodeBody(body) { _ in throw Rotten() } }
        }
    }

    @Test func everyNumberAndTextOfTheBytesLayerComesBack() throws {
        let numbers: [UInt64] = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 1 << 32, .max - 1, .max] + (0..<64).map { 1 << $0 }
        for number in numbers {
            var writer = ByteWriter()
            writer.varint(number)
            writer.signedVarint(Int64(bitPattern: number))
            writer.u64(number)
            writer.u32(UInt32(truncatingIfNeeded: number))
            writer.u16(UInt16(truncatingIfNeeded: number))
            writer.string(String(number))
            try writer.bytes.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                #expect(try reader.varint() == number)
                #expect(try reader.signedVarint() == Int64(bitPattern: number))
                #expect(try reader.u64() == number)
                #expect(try reader.u32() == UInt32(truncatingIfNeeded: number))
                #expect(try reader.u16() == UInt16(truncatingIfNeeded: number))
                #expect(try reader.string() == String(number))
                try reader.finish()
            }
        }
    }
}
