import Consensus
import WireFormat

/// The dialling side of a handshake: it greets, is greeted, proves that it knows the secret, and is given the same proof.
///
/// Each side's proof covers both whole greetings as they were sent, so nobody between the two can alter a byte of either.
/// The dialler proves first: a stranger who dials gets nothing that was computed from the secret.
struct DialingHandshake {
    enum Step: Equatable {
        case send([UInt8])
        case proved(StreamKeys, PeerFacts)
    }

    private enum State {
        case greeted
        case proving(PeerTranscript, PeerFacts)
        case done
    }

    private let context: PeerContext
    private let peer: NodeID
    /// The first frame that goes out.
    let greeting: [UInt8]
    private var state = State.greeted

    /// `isCheck`: nothing is to be sent afterwards.
    init(context: PeerContext, peer: NodeID, nonce: [UInt8], isCheck: Bool = false) {
        self.context = context
        self.peer = peer
        var facts = context.facts
        facts.isCheck = isCheck
        greeting = PeerCodec.encode(
            PeerHello(cluster: context.cluster, from: context.own, to: peer, nonce: nonce, extensions: facts.extensions))
    }

    /// Takes the body of the next frame that the other side sent.
    mutating func take(_ body: UnsafeRawBufferPointer) throws(WireError) -> Step {
        switch state {
        case .greeted:
            let hello = try PeerCodec.decodeHello(body)
            guard hello.cluster == context.cluster, hello.from == peer, hello.to == context.own else {
                throw WireError("node \(hello.from) of cluster \"\(hello.cluster)\" answers there")
            }
            _ = try PeerHello.formats.newestInCommon(with: hello.formats)
            let greetings = greeting.withUnsafeBytes { PeerTranscript(dialer: bodyOf(frame: $0), acceptor: body) }
            state = .proving(greetings, try PeerFacts(hello.extensions))
            return .send(PeerCodec.encode(PeerProof(code: context.secret.proof(by: .dialer, of: greetings))))
        case .proving(let greetings, let facts):
            let proof = try PeerCodec.decodeProof(body)
            guard context.secret.isValid(proof: proof.code, by: .acceptor, of: greetings) else {
                throw WireError("its cluster secret is another, or its greeting was altered on the way")
            }
            state = .done
            if let refusal = context.refusal(of: peer, facts) { throw WireError(refusal) }
            return .proved(StreamKeys(context.secret, own: .dialer, greetings), facts)
        case .done:
            throw WireError("it goes on with the handshake after its end")
        }
    }
}

/// The accepting side of a handshake.
struct AcceptingHandshake {
    enum Step: Equatable {
        case send([UInt8])
        /// Nothing comes of it; what is sent lets the other side find out the same.
        case refuse(sending: [UInt8], reason: String)
        case proved(NodeID, sending: [UInt8], StreamKeys, PeerFacts)
        /// The dialler only wanted to know whether this node would talk to it.
        case checked(NodeID, sending: [UInt8])
    }

    private enum State {
        case waiting
        case proving(NodeID, PeerTranscript, PeerFacts)
        case done
    }

    private let context: PeerContext
    private let nonce: [UInt8]
    private var state = State.waiting

    init(context: PeerContext, nonce: [UInt8]) {
        self.context = context
        self.nonce = nonce
    }

    /// Takes the body of the next frame that the other side sent.
    mutating func take(_ body: UnsafeRawBufferPointer) throws(WireError) -> Step {
        switch state {
        case .waiting:
            let hello = try PeerCodec.decodeHello(body)
            guard hello.cluster == context.cluster else { throw WireError("it belongs to cluster \"\(hello.cluster)\"") }
            guard hello.to == context.own else { throw WireError("it looks for node \(hello.to)") }
            guard hello.from != context.own else {
                throw WireError("it calls itself node \(hello.from), like this one: two nodes were started with one id")
            }
            let greeting = PeerCodec.encode(
                PeerHello(
                    cluster: context.cluster, from: context.own, to: hello.from, nonce: nonce,
                    extensions: context.facts.extensions))
            do {
                _ = try PeerHello.formats.newestInCommon(with: hello.formats)
            } catch {
                state = .done
                return .refuse(sending: greeting, reason: error.message)
            }
            // Whether the two belong together is said once it has proved itself: a stranger must not be able to cause that line.
            state = .proving(
                hello.from, greeting.withUnsafeBytes { PeerTranscript(dialer: body, acceptor: bodyOf(frame: $0)) },
                try PeerFacts(hello.extensions))
            return .send(greeting)
        case .proving(let peer, let greetings, let facts):
            let proof = try PeerCodec.decodeProof(body)
            guard context.secret.isValid(proof: proof.code, by: .dialer, of: greetings) else {
                throw WireError("its cluster secret is another, or its greeting was altered on the way")
            }
            state = .done
            let own = PeerCodec.encode(PeerProof(code: context.secret.proof(by: .acceptor, of: greetings)))
            if let refusal = context.refusal(of: peer, facts) { return .refuse(sending: own, reason: refusal) }
            if facts.isCheck { return .checked(peer, sending: own) }
            return .proved(peer, sending: own, StreamKeys(context.secret, own: .acceptor, greetings), facts)
        case .done:
            throw WireError("it goes on with the handshake after its end")
        }
    }
}

private func bodyOf(frame: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: frame.dropFirst(Framing.prefixLength))
}
