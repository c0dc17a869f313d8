package import Consensus

/// What nodes say to one another: as frames on TCP, or a body alone in a datagram.
package enum PeerCodec {
    private enum Tag: UInt8 {
        case preVote = 1
        case preVoteReply = 2
        case vote = 3
        case voteReply = 4
        case append = 5
        case durable = 6
        case conflict = 7
        case heartbeat = 8
        case heartbeatReply = 9
        case readIndex = 10
        case readIndexReply = 11
        case snapshotOffer = 12
        case installing = 13
        /// A heartbeat's answer from one that does not have ample room.
        case shortReply = 14
        /// A question for a vote that the leader wants to be asked.
        case handOverVote = 15
        case takeOver = 16
    }

    /// Appends the whole TCP frame. The caller keeps the entries' bytes within `Framing.maximumPeerFrame`.
    package static func append(_ frame: PeerFrame, to output: inout [UInt8]) {
        var writer = ByteWriter(taking: &output)
        let place = writer.beginFrame()
        appendBody(frame, to: &writer)
        writer.endFrame(place)
        writer.give(to: &output)
    }

    /// The body alone, for a datagram.
    package static func encodeBody(_ frame: PeerFrame) -> [UInt8] {
        var writer = ByteWriter()
        appendBody(frame, to: &writer)
        return writer.bytes
    }

    private static let maximumTerm: Term = 1 << 62

    /// Reads a body. `parseBlock` makes an entry of a block's bytes, which it must not keep; what it throws is passed on,
    /// and everything else wrong is a `WireError`.
    package static func decodeBody(
        _ body: UnsafeRawBufferPointer, parseBlock: (UnsafeRawBufferPointer) throws -> Entry
    ) throws -> PeerFrame {
        var reader = ByteReader(body)
        let tag: Tag = try reader.tag("peer message")
        let flags = try reader.flags(known: 0b1)
        let from = NodeID(try reader.varint())
        let term = try reader.varint()
        // No cluster gets there by elections; and one more than a term must always be a term.
        guard term <= maximumTerm else { throw WireError("term \(term)") }
        let message =
            switch tag {
            case .append: Message.append(try decodeAppend(term, &reader, parseBlock))
            default: try decodeSmall(tag, term, &reader)
            }
        try reader.finish()
        return PeerFrame(from: from, hearsDatagrams: flags.has(0), message: message)
    }

    private static func appendBody(_ frame: PeerFrame, to writer: inout ByteWriter) {
        func head(_ tag: Tag, _ term: Term) {
            writer.u8(tag.rawValue)
            writer.varint(flag(frame.hearsDatagrams, 0))
            writer.varint(frame.from.rawValue)
            writer.varint(term)
        }
        switch frame.message {
        case .preVote(let ask):
            head(.preVote, ask.term)
            writer.varint(ask.lastIndex)
            writer.varint(ask.lastTerm)
        case .preVoteReply(let reply):
            head(.preVoteReply, reply.term)
            writer.varint(reply.askedTerm)
            writer.bool(reply.granted)
        case .vote(let ask):
            head(ask.isHandOver ? .handOverVote : .vote, ask.term)
            writer.varint(ask.lastIndex)
            writer.varint(ask.lastTerm)
        case .voteReply(let reply):
            head(.voteReply, reply.term)
            writer.bool(reply.granted)
            writer.varint(reply.wall)
        case .append(let append):
            head(.append, append.term)
            self.append(append, to: &writer)
        case .appendReply(let reply):
            switch reply.result {
            case .durable(let index):
                head(.durable, reply.term)
                writer.varint(index)
            case .conflict(let index, let hintIndex, let hintTerm):
                head(.conflict, reply.term)
                writer.varint(index)
                writer.varint(hintIndex)
                writer.varint(hintTerm)
            case .installing(let pieces):
                head(.installing, reply.term)
                writer.varint(pieces)
            }
        case .heartbeat(let heartbeat):
            head(.heartbeat, heartbeat.term)
            writer.varint(heartbeat.round)
            writer.varint(heartbeat.commit)
            writer.varint(UInt64(heartbeat.oldestWriteAge))
        case .heartbeatReply(let reply):
            head(reply.room == .ample ? .heartbeatReply : .shortReply, reply.term)
            writer.varint(reply.round)
            writer.varint(reply.durable)
            writer.varint(reply.wall)
            writer.varint(reply.memory)
            if reply.room != .ample { writer.u8(reply.room.rawValue) }
        case .readIndex(let ask):
            head(.readIndex, ask.term)
            writer.varint(ask.nonce)
        case .readIndexReply(let reply):
            head(.readIndexReply, reply.term)
            writer.varint(reply.nonce)
            writer.varint(reply.index)
        case .snapshotOffer(let offer):
            head(.snapshotOffer, offer.term)
            SnapshotReferenceCodec.append(offer.snapshot, to: &writer)
        case .takeOver(let wish):
            head(.takeOver, wish.term)
            writer.varint(wish.lastIndex)
        }
    }

    private static func append(_ append: Append, to writer: inout ByteWriter) {
        writer.varint(append.previousIndex)
        writer.varint(append.previousTerm)
        writer.pair(high: append.previousDigest.high, low: append.previousDigest.low)
        writer.varint(append.commit)
        writer.varint(UInt64(append.entries.count))
        for entry in append.entries { writer.longByteString(entry.block) }
    }

    private static func decodeAppend(
        _ term: Term, _ reader: inout ByteReader, _ parseBlock: (UnsafeRawBufferPointer) throws -> Entry
    ) throws -> Append {
        let previousIndex = try reader.varint()
        let previousTerm = try reader.varint()
        let (high, low) = try reader.pair()
        let commit = try reader.varint()
        var entries: [Entry] = []
        // No reservation here: an entry in memory is far larger than the smallest lie about one.
        for _ in 0..<(try reader.count(minimumSize: Framing.prefixLength, maximum: AnswerBounds.entries)) {
            entries.append(try parseBlock(reader.longView()))
        }
        return Append(
            term: term, previousIndex: previousIndex, previousTerm: previousTerm,
            previousDigest: Digest(high: high, low: low), commit: commit, entries: entries)
    }

    /// Ample room has a tag of its own.
    private static func room(_ reader: inout ByteReader) throws(WireError) -> Room {
        let room: Room = try reader.tag("room")
        guard room != .ample else { throw WireError("ample room where there is little") }
        return room
    }

    private static func heartbeatReply(
        _ term: Term, isShort: Bool, _ reader: inout ByteReader
    ) throws(WireError) -> HeartbeatReply {
        let (round, durable, wall) = (try reader.varint(), try reader.varint(), try reader.varint())
        let memory = try reader.varint()
        return HeartbeatReply(
            term: term, round: round, durable: durable, wall: wall, room: try isShort ? room(&reader) : .ample,
            memory: memory)
    }

    /// Every message that is a handful of numbers.
    private static func decodeSmall(_ tag: Tag, _ term: Term, _ reader: inout ByteReader) throws(WireError) -> Message {
        switch tag {
        case .preVote:
            return .preVote(PreVote(term: term, lastIndex: try reader.varint(), lastTerm: try reader.varint()))
        case .preVoteReply:
            return .preVoteReply(PreVoteReply(term: term, askedTerm: try reader.varint(), granted: try reader.bool()))
        case .vote:
            return .vote(Vote(term: term, lastIndex: try reader.varint(), lastTerm: try reader.varint()))
        case .voteReply:
            return .voteReply(VoteReply(term: term, granted: try reader.bool(), wall: try reader.varint()))
        case .durable:
            return .appendReply(AppendReply(term: term, result: .durable(try reader.varint())))
        case .conflict:
            let index = try reader.varint()
            let hintIndex = try reader.varint()
            let hintTerm = try reader.varint()
            return .appendReply(
                AppendReply(term: term, result: .conflict(at: index, hintIndex: hintIndex, hintTerm: hintTerm)))
        case .installing:
            return .appendReply(AppendReply(term: term, result: .installing(pieces: try reader.varint())))
        case .snapshotOffer:
            return .snapshotOffer(SnapshotOffer(term: term, snapshot: try SnapshotReferenceCodec.decode(&reader)))
        case .heartbeat:
            return .heartbeat(
                Heartbeat(
                    term: term, round: try reader.varint(), commit: try reader.varint(), oldestWriteAge: try reader.varint32()))
        case .heartbeatReply:
            return .heartbeatReply(try heartbeatReply(term, isShort: false, &reader))
        case .shortReply:
            return .heartbeatReply(try heartbeatReply(term, isShort: true, &reader))
        case .handOverVote:
            return .vote(
                Vote(term: term, lastIndex: try reader.varint(), lastTerm: try reader.varint(), isHandOver: true))
        case .takeOver:
            return .takeOver(TakeOver(term: term, lastIndex: try reader.varint()))
        case .readIndex:
            return .readIndex(ReadIndex(term: term, nonce: try reader.varint()))
        case .readIndexReply:
            return .readIndexReply(ReadIndexReply(term: term, nonce: try reader.varint(), index: try reader.varint()))
        case .append:
            preconditionFailure("an append is not a small message")
        }
    }
}
