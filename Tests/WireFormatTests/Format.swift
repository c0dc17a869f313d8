import Consensus
import FuzzTargets
import Testing
import WireFormat

/// One kind of body, as an attacker sees it.
struct Format: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// What garbage starts with, to get past the first look.
    var prefix: [UInt8] = []
    /// Bodies of every kind with random values.
    var samples: @Sendable (inout Dice) -> [[UInt8]]
    /// Decodes, and encodes what came out again.
    var recode: @Sendable (UnsafeRawBufferPointer) throws -> [UInt8]

    func recode(_ body: [UInt8]) throws -> [UInt8] {
        try body.withUnsafeBytes { try recode($0) }
    }

    static let all = [commands, requests, responses, clientHello, peers, transfers, peerHello, peerProof]

    /// The number of commands, which the log keeps in the block's header, stands in the first byte.
    static let commands = Format(
        testDescription: "commands",
        samples: { dice in
            let calls = dice.calls()
            return calls.map { [1] + CommandCodec.encode([$0]) } + [[UInt8(calls.count)] + CommandCodec.encode(calls)]
        },
        recode: Recoding.commands)

    static let requests = Format(
        testDescription: "requests",
        samples: { dice in dice.requests().map { body(of: $0, number: dice.number()) } },
        recode: Recoding.request)

    static let responses = Format(
        testDescription: "responses",
        samples: { dice in dice.responses().map { body(of: $0, number: dice.number()) } },
        recode: Recoding.response)

    static let clientHello = Format(
        testDescription: "client hello", prefix: Array("JBCL".utf8) + [1, 0, 1, 0],
        samples: { dice in
            let hello = ClientHello(
                cluster: dice.text(), node: dice.number(), leader: dice.maybe { $0.text() }, extensions: dice.extensions())
            return [body(of: ClientCodec.encode(hello))]
        },
        recode: Recoding.clientHello)

    static let peers = Format(
        testDescription: "peer messages",
        samples: { dice in dice.frames().map { PeerCodec.encodeBody($0) } },
        recode: Recoding.peer)

    static let transfers = Format(
        testDescription: "transfers",
        samples: { dice in
            dice.transfers().map { transfer in
                var frame: [UInt8] = []
                TransferCodec.append(transfer, from: NodeID(7), to: &frame)
                return body(of: frame)
            }
        },
        recode: { bytes in
            let (from, transfer) = try TransferCodec.decode(bytes)
            var frame: [UInt8] = []
            TransferCodec.append(transfer, from: from, to: &frame)
            return body(of: frame)
        })

    static let peerHello = Format(
        testDescription: "peer hello", prefix: Array("JBPH".utf8) + [1, 0, 1, 0],
        samples: { dice in
            let nonce = (0..<32).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
            let hello = PeerHello(
                cluster: dice.text(), from: NodeID(dice.number()), to: NodeID(dice.number()), nonce: nonce,
                extensions: dice.extensions())
            return [body(of: PeerCodec.encode(hello))]
        },
        recode: Recoding.peerHello)

    static let peerProof = Format(
        testDescription: "peer proof", prefix: Array("JBPP".utf8),
        samples: { dice in
            [body(of: PeerCodec.encode(PeerProof(code: (0..<32).map { _ in UInt8(truncatingIfNeeded: dice.next()) })))]
        },
        recode: Recoding.peerProof)
}

extension Dice {
    mutating func extensions() -> [GreetingExtension] {
        (0..<below(4)).map { place in
            GreetingExtension(
                type: UInt64(place * 1000 + below(1000)), value: (0..<below(5)).map { _ in UInt8(truncatingIfNeeded: next()) })
        }
    }
}

/// A frame's body, after a look at its length.
func body(of frame: [UInt8]) -> [UInt8] {
    let length = frame.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) }
    precondition(Int(length) == frame.count - Framing.prefixLength)
    return Array(frame.dropFirst(Framing.prefixLength))
}

func body(of request: Request, number: UInt64) -> [UInt8] {
    var frame: [UInt8] = []
    ClientCodec.append(request, number: number, to: &frame)
    return body(of: frame)
}

func body(of response: Response, number: UInt64) -> [UInt8] {
    var frame: [UInt8] = []
    ClientCodec.append(response, number: number, to: &frame)
    return body(of: frame)
}
