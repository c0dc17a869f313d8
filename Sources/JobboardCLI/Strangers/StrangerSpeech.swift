import Consensus
import Jobboard
import WireFormat

/// What a stranger says that depends on the shape of greetings and sessions, in one place.
enum StrangerSpeech {
    /// A client's greeting, as the library would send it.
    static func hello(cluster: String) -> [UInt8] {
        ClientCodec.encode(ClientHello(cluster: cluster, node: 0, leader: nil))
    }

    /// A node's greeting to another, from someone who does not know the secret.
    static func peerHello(cluster: String, from: UInt64, to: UInt64, _ dice: inout SplitMix64) -> [UInt8] {
        PeerCodec.encode(
            PeerHello(
                cluster: cluster, from: NodeID(from), to: NodeID(to),
                nonce: StrangerBytes.random(PeerHello.nonceLength, &dice)))
    }

    /// A proof of a secret that is only guessed.
    static func peerProof(_ dice: inout SplitMix64) -> [UInt8] {
        PeerCodec.encode(PeerProof(code: StrangerBytes.random(32, &dice)))
    }

    /// Asks for a new session that stays as long as the board allows, and is number 1 of its connection unless told otherwise.
    static func openSession(local: UInt64 = 1, _ dice: inout SplitMix64) -> Request {
        let token = SessionToken(high: dice.next(), low: dice.next())
        return .session(local: local, token, ttlMilliseconds: 3_600_000, resumed: false)
    }

    /// The connection's number of the session that an answer opened.
    static func openedSession(_ response: Response) -> UInt64? {
        if case .outcome(.sessionOpened) = response { 1 } else { nil }
    }

    /// A command under a session, which need not be one's own.
    static func command(
        _ command: Command, session: UInt64, sequence: UInt64, acknowledgedBelow: UInt64 = 1, waitMilliseconds: UInt32 = 0
    ) -> Request {
        .write(
            SessionCommand(session: session, sequence: sequence, acknowledgedBelow: acknowledgedBelow, command: command),
            Sending(term: 0, waitMilliseconds: waitMilliseconds))
    }

    /// The same request, with what is a write addressed to a term.
    static func addressed(_ request: Request, to term: UInt64) -> Request {
        guard case .write(let call, var sending) = request, sending.term == 0 else { return request }
        sending.term = term
        return .write(call, sending)
    }
}

/// Bytes that mean nothing.
enum StrangerBytes {
    static func random(_ count: Int, _ dice: inout SplitMix64) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &dice) }
    }

    /// The same bytes with some of them changed, cut off, repeated or swapped.
    static func mutated(_ bytes: [UInt8], _ dice: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &dice) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &dice)
            switch UInt8.random(in: 0...5, using: &dice) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &dice)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &dice)
            case 2: bytes.removeSubrange(place...)
            case 3: bytes.insert(contentsOf: random(Int.random(in: 1...64, using: &dice), &dice), at: place)
            case 4: bytes.remove(at: place)
            default: bytes[place] = [0, 0x7f, 0x80, 0xff].randomElement(using: &dice) ?? 0
            }
        }
        return bytes
    }
}
