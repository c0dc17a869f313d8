import Consensus
import EventLog
import Testing
import WireFormat

@testable import NodeServer

/// Both sides of a handshake, without sockets.
@Suite struct HandshakeTests {
    private static func context(
        _ node: UInt64, secret: String = "s", cluster: String = "c", members: [UInt64] = [1, 2, 3]
    ) -> PeerContext {
        PeerContext(
            cluster: cluster, own: NodeID(node), membership: Membership(voters: members),
            secret: ClusterSecret(secret, cluster: cluster), epoch: node)
    }

    private static func facts(_ extensions: [GreetingExtension] = []) -> [GreetingExtension] {
        context(1).facts.extensions + extensions
    }

    private var dialler = DialingHandshake(context: Self.context(1), peer: NodeID(2), nonce: Array(repeating: 1, count: 32))
    private var acceptor = AcceptingHandshake(context: Self.context(2), nonce: Array(repeating: 2, count: 32))

    private static func body(_ frame: [UInt8]) -> [UInt8] { Array(frame[Framing.prefixLength...]) }

    /// What the acceptor answers to a greeting, or a proof, as a frame's body.
    private static func answer(_ acceptor: inout AcceptingHandshake, _ body: [UInt8]) throws -> [UInt8] {
        switch try body.withUnsafeBytes({ try acceptor.take($0) }) {
        case .send(let frame), .refuse(let frame, _), .proved(_, let frame, _, _), .checked(_, let frame): Self.body(frame)
        }
    }

    @Test mutating func `both sides prove themselves and have the same keys, crossed`() throws {
        let greeting = try Self.answer(&acceptor, Self.body(dialler.greeting))
        guard case .send(let proof) = try greeting.withUnsafeBytes({ try dialler.take($0) }) else {
            Issue.record("no proof")
            return
        }
        guard
            case .proved(let peer, let answer, let accepted, let facts) = try Self.body(proof).withUnsafeBytes({
                try acceptor.take($0)
            }),
            case .proved(let dialled, let theirs) = try Self.body(answer).withUnsafeBytes({ try dialler.take($0) })
        else {
            Issue.record("not proved")
            return
        }
        #expect(peer == NodeID(1) && facts.epoch == 1 && theirs.epoch == 2)
        #expect(dialled.sending == accepted.receiving && dialled.receiving == accepted.sending)
        #expect(dialled.sending != dialled.receiving)
    }

    /// A greeting may be altered into one that is refused at once; else the proof is.
    @Test func `an altered bit in the dialler's greeting is refused`() throws {
        let greeting = Self.body(dialler.greeting)
        for bit in 0..<greeting.count * 8 {
            var (dialler, acceptor) = (dialler, acceptor)
            var altered = greeting
            altered[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let answer = try? Self.answer(&acceptor, altered),
                case .send(let proof)? = try? answer.withUnsafeBytes({ try dialler.take($0) })
            else { continue }
            let step = try? Self.body(proof).withUnsafeBytes { try acceptor.take($0) }
            #expect(step == nil, "bit \(bit)")
        }
    }

    @Test func `an altered bit in the acceptor's greeting is refused`() throws {
        var first = acceptor
        let greeting = try Self.answer(&first, Self.body(dialler.greeting))
        for bit in 0..<greeting.count * 8 {
            var (dialler, acceptor) = (dialler, first)
            var altered = greeting
            altered[bit / 8] ^= 1 << UInt8(bit % 8)
            guard case .send(let proof)? = try? altered.withUnsafeBytes({ try dialler.take($0) }) else { continue }
            let step = try? Self.body(proof).withUnsafeBytes { try acceptor.take($0) }
            #expect(step == nil, "bit \(bit)")
        }
    }

    @Test mutating func `an altered bit in a proof is refused`() throws {
        let greeting = try Self.answer(&acceptor, Self.body(dialler.greeting))
        guard case .send(let frame) = try greeting.withUnsafeBytes({ try dialler.take($0) }) else { return }
        let proof = Self.body(frame)
        for bit in 0..<proof.count * 8 {
            var (altered, acceptor) = (proof, acceptor)
            altered[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: WireError.self, "bit \(bit)") { try altered.withUnsafeBytes { try acceptor.take($0) } }
        }
        let answer = try Self.answer(&acceptor, proof)
        for bit in 0..<answer.count * 8 {
            var (altered, dialler) = (answer, dialler)
            altered[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: WireError.self, "bit \(bit)") { try altered.withUnsafeBytes { try dialler.take($0) } }
        }
    }

    @Test func `another secret is refused on either side`() throws {
        var acceptor = AcceptingHandshake(context: Self.context(2, secret: "t"), nonce: Array(repeating: 2, count: 32))
        var dialler = dialler
        let greeting = try Self.answer(&acceptor, Self.body(dialler.greeting))
        guard case .send(let proof) = try greeting.withUnsafeBytes({ try dialler.take($0) }) else { return }
        #expect(throws: WireError("its cluster secret is another, or its greeting was altered on the way")) {
            try Self.body(proof).withUnsafeBytes { try acceptor.take($0) }
        }
    }

    /// The answers of two nodes with different secrets are equal, so nothing in them comes from the secret.
    @Test func `a stranger who dials is told nothing that comes from the secret`() throws {
        var answers: [[UInt8]] = []
        for secret in ["s", "t"] {
            var acceptor = AcceptingHandshake(context: Self.context(2, secret: secret), nonce: Array(repeating: 2, count: 32))
            answers.append(try Self.answer(&acceptor, Self.body(dialler.greeting)))
            let stranger = PeerCodec.encode(PeerProof(code: Array(repeating: 0, count: 32)))
            #expect(throws: WireError.self) { try Self.answer(&acceptor, Self.body(stranger)) }
        }
        #expect(answers[0] == answers[1])
    }

    @Test mutating func `a proof that was recorded is refused on the next connection, and by the side that gave it`() throws {
        let greeting = try Self.answer(&acceptor, Self.body(dialler.greeting))
        guard case .send(let proof) = try greeting.withUnsafeBytes({ try dialler.take($0) }) else { return }
        var next = AcceptingHandshake(context: Self.context(2), nonce: Array(repeating: 3, count: 32))
        _ = try Self.answer(&next, Self.body(dialler.greeting))
        #expect(throws: WireError.self) { try Self.answer(&next, Self.body(proof)) }
        #expect(throws: WireError.self) { try Self.body(proof).withUnsafeBytes { try dialler.take($0) } }
    }

    @Test func `without a format in common each side names both ranges`() throws {
        var (acceptor, dialler) = (acceptor, dialler)
        let newer = PeerCodec.encode(
            PeerHello(
                formats: FormatRange(4, 6), cluster: "c", from: NodeID(1), to: NodeID(2), nonce: Array(repeating: 1, count: 32)))
        let line = "it speaks formats 4 to 6, and this side format 1: there is none that both know"
        guard case .refuse(let answer, let reason) = try Self.body(newer).withUnsafeBytes({ try acceptor.take($0) }) else {
            Issue.record("not refused")
            return
        }
        #expect(reason == line)
        // What goes back lets the other side say the same.
        #expect(try Self.body(answer).withUnsafeBytes { try PeerCodec.decodeHello($0) }.formats == PeerHello.formats)
        let back = PeerCodec.encode(
            PeerHello(
                formats: FormatRange(4, 6), cluster: "c", from: NodeID(2), to: NodeID(1), nonce: Array(repeating: 1, count: 32)))
        #expect(throws: WireError(line)) { try Self.body(back).withUnsafeBytes { try dialler.take($0) } }
    }

    @Test func `newer formats and extensions that nobody knows are taken when a format is in common`() throws {
        var acceptor = acceptor
        let newer = PeerCodec.encode(
            PeerHello(
                formats: FormatRange(1, 6), cluster: "c", from: NodeID(1), to: NodeID(2), nonce: Array(repeating: 1, count: 32),
                extensions: Self.facts([GreetingExtension(type: 77, value: [1, 2, 3])])))
        guard case .send = try Self.body(newer).withUnsafeBytes({ try acceptor.take($0) }) else {
            Issue.record("refused")
            return
        }
    }

    @Test func `who is not in the cluster, or looks for another node, is refused`() throws {
        for (cluster, from, to) in [("d", 1, 2), ("c", 2, 2), ("c", 1, 3)] as [(String, UInt64, UInt64)] {
            var acceptor = acceptor
            let hello = PeerCodec.encode(
                PeerHello(
                    cluster: cluster, from: NodeID(from), to: NodeID(to), nonce: Array(repeating: 1, count: 32),
                    extensions: Self.facts()))
            #expect(throws: WireError.self) { try Self.body(hello).withUnsafeBytes { try acceptor.take($0) } }
        }
    }

    /// What each side says when the two are through; nil for a side that would go on.
    private static func reasons(_ dialler: PeerContext, _ acceptor: PeerContext, isCheck: Bool = false) throws -> [String?] {
        var from = DialingHandshake(
            context: dialler, peer: acceptor.own, nonce: Array(repeating: 1, count: 32), isCheck: isCheck)
        var to = AcceptingHandshake(context: acceptor, nonce: Array(repeating: 2, count: 32))
        let greeting = try answer(&to, body(from.greeting))
        guard case .send(let proof) = try greeting.withUnsafeBytes({ try from.take($0) }) else { return [] }
        let step = try body(proof).withUnsafeBytes { try to.take($0) }
        var reasons: [String?] = [nil, nil]
        var last: [UInt8] = []
        switch step {
        case .refuse(let frame, let reason): (last, reasons[1]) = (frame, reason)
        case .proved(_, let frame, _, _): last = frame
        case .checked(_, let frame): (last, reasons[1]) = (frame, "checked")
        case .send: return []
        }
        do throws(WireError) {
            let step = body(last).withUnsafeBytes { bytes in Result { () throws(WireError) in try from.take(bytes) } }
            _ = try step.get()
        } catch {
            reasons[0] = error.message
        }
        return reasons
    }

    @Test(arguments: [[1], [1, 2], [1, 2, 4], [1, 2, 3, 4, 5]] as [[UInt64]])
    func `two nodes whose files name other nodes refuse each other, and each says why`(wrong: [UInt64]) throws {
        let (right, guilty) = (Self.context(2), Self.context(1, members: wrong))
        let list = wrong.map { "\($0)" }.joined(separator: ", ")
        for reasons in [try Self.reasons(guilty, right), try Self.reasons(right, guilty).reversed()] {
            #expect(reasons[0]?.contains("the cluster files of node 2 and of this node, 1, differ") == true)
            #expect(reasons[1]?.contains("the cluster files of node 1 and of this node, 2, differ") == true)
            #expect(reasons[1]?.contains("\(list), that of this node nodes 1, 2, 3;") == true, "\(reasons[1] ?? "")")
        }
    }

    @Test func `the one whose file differs from the majority's is named`() throws {
        let right = Self.context(2)
        #expect(try Self.reasons(Self.context(3), right) == [nil, nil])
        let reasons = try Self.reasons(Self.context(1, members: [1, 2, 3, 4, 5]), right)
        #expect(
            reasons[1] == "node 1 has another cluster file than the majority: that of node 1 lists nodes 1, 2, 3, 4, 5, "
                + "that of this node nodes 1, 2, 3; give node 1 the file of the others")
        // One that is not listed at all is refused too, although it lists the same nodes.
        #expect(try Self.reasons(Self.context(4), right)[1]?.hasPrefix("node 4 has another cluster file") == true)
    }

    @Test func `a check is told what a stream would be told, and no more`() throws {
        #expect(try Self.reasons(Self.context(1), Self.context(2), isCheck: true) == [nil, "checked"])
        let reasons = try Self.reasons(Self.context(1, members: [1]), Self.context(2), isCheck: true)
        #expect(reasons.allSatisfy { $0?.contains("differ") == true })
    }
}
