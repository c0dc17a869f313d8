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
        let peer = PeerHello(cluster: "c", from: NodeID(1), to: NodeID(2), nonce: Array(0..<32))
        #expect(try body(of: PeerCodec.encode(peer)).withUnsafeBytes { try PeerCodec.decodeHello($0) } == peer)
        let proof = PeerProof(code: Array(repeating: 7, count: 32))
        #expect(try body(of: PeerCodec.encode(proof)).withUnsafeBytes { try PeerCodec.decodeProof($0) } == proof)
    }

    @Test func `newer formats and unknown extensions are read like any others`() throws {
        let extensions = [GreetingExtension(type: 3, value: []), GreetingExtension(type: 9000, value: [1, 2, 3])]
        let client = ClientHello(
            formats: FormatRange(7, 9), cluster: "c", node: 1, leader: nil, extensions: extensions)
        #expect(try body(of: ClientCodec.encode(client)).withUnsafeBytes { try ClientCodec.decodeHello($0) } == client)
        let peer = PeerHello(
            formats: FormatRange(7, 9), cluster: "c", from: NodeID(1), to: NodeID(2), nonce: Array(0..<32),
            extensions: extensions)
        #expect(try body(of: PeerCodec.encode(peer)).withUnsafeBytes { try PeerCodec.decodeHello($0) } == peer)
    }

    @Test func `the newest format that both sides know is spoken, and both ranges are named when there is none`() throws {
        #expect(try FormatRange(1, 3).newestInCommon(with: FormatRange(2, 5)) == 3)
        #expect(try FormatRange(2, 5).newestInCommon(with: FormatRange(1, 3)) == 3)
        #expect(try FormatRange(4, 4).newestInCommon(with: FormatRange(1, 9)) == 4)
        #expect(throws: WireError("it speaks formats 4 to 6, and this side format 1: there is none that both know")) {
            try FormatRange(1, 1).newestInCommon(with: FormatRange(4, 6))
        }
        #expect(throws: WireError("it speaks format 1, and this side formats 2 to 3: there is none that both know")) {
            try FormatRange(2, 3).newestInCommon(with: FormatRange(1, 1))
        }
    }

    @Test func `a greeting has at most 16 extensions, each type once and in order`() throws {
        func decode(_ extensions: [UInt8]) throws -> ClientHello {
            var bytes = body(of: ClientCodec.encode(ClientHello(cluster: "c", node: 1, leader: nil)))
            bytes.removeLast()
            return try (bytes + extensions).withUnsafeBytes { try ClientCodec.decodeHello($0) }
        }
        #expect(try decode([16] + (1...16).flatMap { [$0, 0] }).extensions.count == 16)
        #expect(throws: WireError("17 items announced; the most is 16")) { try decode([17] + (1...17).flatMap { [$0, 0] }) }
        #expect(throws: WireError("extensions out of order")) { try decode([2, 5, 0, 4, 0]) }
        #expect(throws: WireError("extensions out of order")) { try decode([2, 5, 0, 5, 0]) }
        #expect(throws: WireError.self) { try decode([1, 5, 9, 1]) }
    }

    @Test func `a range of formats is not empty and does not begin at 0`() throws {
        for range: [UInt8] in [[0, 0, 1, 0], [2, 0, 1, 0], [0, 0, 0, 0]] {
            let bytes = Array("JBCL".utf8) + range + [0, 0, 0, 0]
            #expect(throws: WireError.self) { try bytes.withUnsafeBytes { try ClientCodec.decodeHello($0) } }
        }
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
