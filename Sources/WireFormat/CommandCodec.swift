package import Jobboard

/// Commands as bytes: the payload of a commands block in the log, and the heart of a client's write.
///
/// Each is a tag byte, the session's numbers, then the command's own fields. A tag once used in a release is never
/// given another meaning, since old logs must stay readable.
package enum CommandCodec {
    private enum Tag: UInt8 {
        case openSession = 1
        case closeSession = 2
        case post = 3
        case claim = 4
        case claimNext = 5
        case extend = 6
        case abandon = 7
        case consume = 8
    }

    /// Bytes of the smallest command: its tag and the three session numbers.
    private static let smallest = 4

    /// All commands of a block, one after the other.
    package static func encode(_ calls: [SessionCommand]) -> [UInt8] {
        var writer = ByteWriter()
        for call in calls { append(call, to: &writer) }
        return writer.bytes
    }

    /// The commands of a block that says it holds `count`. Throws for anything but exactly that many.
    package static func decode(_ payload: UnsafeRawBufferPointer, count: Int) throws(WireError) -> [SessionCommand] {
        guard count >= 0, count <= min(payload.count / smallest, RequestBounds.commands) else {
            throw WireError("\(count) commands cannot be in \(payload.count) bytes")
        }
        var reader = ByteReader(payload)
        var calls: [SessionCommand] = []
        calls.reserveCapacity(count)
        for _ in 0..<count { calls.append(try decodeOne(&reader)) }
        try reader.finish()
        return calls
    }

    /// Appends one command.
    package static func append(_ call: SessionCommand, to writer: inout ByteWriter) {
        writer.u8(tag(call.command).rawValue)
        writer.varint(call.session)
        writer.varint(call.sequence)
        // The difference is small for every honest client; it wraps, so that any three numbers survive the way.
        writer.varint(call.sequence &- call.acknowledgedBelow)
        switch call.command {
        case .openSession(let key, let ttlMilliseconds):
            writer.sessionKey(key)
            writer.varint(UInt64(ttlMilliseconds))
        case .closeSession:
            break
        case .post(let board, let jobs):
            writer.string(board)
            writer.newJobs(jobs)
        case .claim(let job, let who, let leaseMilliseconds):
            writer.varint(flag(leaseMilliseconds != nil, 0))
            writer.jobID(job)
            writer.string(who)
            if let leaseMilliseconds { writer.varint(UInt64(leaseMilliseconds)) }
        case .claimNext(let claim):
            append(claim, to: &writer)
        case .extend(let holder, let leaseMilliseconds):
            append(holder, flag(leaseMilliseconds != nil, 1), to: &writer)
            if let leaseMilliseconds { writer.varint(UInt64(leaseMilliseconds)) }
        case .abandon(let holder, let delayMilliseconds, let failure):
            append(holder, flag(delayMilliseconds != nil, 1) | flag(failure != nil, 2), to: &writer)
            if let delayMilliseconds { writer.varint(delayMilliseconds) }
            if let failure { writer.string(failure) }
        case .consume(let holder, let result, let followUps):
            append(holder, flag(result != nil, 1) | flag(!followUps.isEmpty, 2), to: &writer)
            if let result { writer.byteString(result) }
            if !followUps.isEmpty { writer.newJobs(followUps) }
        }
    }

    /// Reads what `append` wrote.
    package static func decodeOne(_ reader: inout ByteReader) throws(WireError) -> SessionCommand {
        let tag: Tag = try reader.tag("command")
        let session = try reader.varint()
        let sequence = try reader.varint()
        let acknowledgedBelow = try sequence &- reader.varint()
        let command = try decodeCommand(tag, &reader)
        return SessionCommand(session: session, sequence: sequence, acknowledgedBelow: acknowledgedBelow, command: command)
    }

    private static func tag(_ command: Command) -> Tag {
        switch command {
        case .openSession: .openSession
        case .closeSession: .closeSession
        case .post: .post
        case .claim: .claim
        case .claimNext: .claimNext
        case .extend: .extend
        case .abandon: .abandon
        case .consume: .consume
        }
    }

    private static func decodeCommand(_ tag: Tag, _ reader: inout ByteReader) throws(WireError) -> Command {
        switch tag {
        case .openSession:
            return .openSession(try reader.sessionKey(), ttlMilliseconds: try reader.varint32())
        case .closeSession:
            return .closeSession
        case .post:
            return .post(board: try reader.name(), jobs: try reader.newJobs())
        case .claim:
            let flags = try reader.flags(known: 0b1)
            return .claim(
                job: try reader.jobID(), who: try reader.name(),
                leaseMilliseconds: try flags.has(0) ? reader.varint32() : nil)
        case .claimNext:
            return .claimNext(try decodeClaimNext(&reader))
        case .extend:
            let flags = try reader.flags(known: 0b11)
            let holder = try decodeHolder(flags, &reader)
            return .extend(holder, leaseMilliseconds: try flags.has(1) ? reader.varint32() : nil)
        case .abandon:
            let flags = try reader.flags(known: 0b111)
            let holder = try decodeHolder(flags, &reader)
            return .abandon(
                holder, delayMilliseconds: try flags.has(1) ? reader.varint() : nil,
                failure: try flags.has(2) ? reader.string(maximum: RequestBounds.failureBytes) : nil)
        case .consume:
            let flags = try reader.flags(known: 0b111)
            let holder = try decodeHolder(flags, &reader)
            let result = try flags.has(1) ? reader.byteString() : nil
            let followUps = try flags.has(2) ? reader.newJobs() : []
            guard flags.has(2) == !followUps.isEmpty else { throw WireError("an empty list of follow-up jobs") }
            return .consume(holder, result: result, followUps: followUps)
        }
    }

    /// The holder's flags (bit 0: a fence) share a field with the command's own.
    private static func append(_ holder: Holder, _ flags: UInt64, to writer: inout ByteWriter) {
        writer.varint(flags | flag(holder.fence != nil, 0))
        writer.jobID(holder.job)
        writer.string(holder.who)
        if let fence = holder.fence { writer.varint(fence) }
    }

    private static func decodeHolder(_ flags: UInt64, _ reader: inout ByteReader) throws(WireError) -> Holder {
        Holder(job: try reader.jobID(), who: try reader.name(), fence: try flags.has(0) ? reader.varint() : nil)
    }

    private static func append(_ claim: ClaimNext, to writer: inout ByteWriter) {
        writer.varint(
            flag(claim.leaseMilliseconds != nil, 0) | flag(!claim.priorities.isEmpty, 1) | flag(claim.name != nil, 2))
        writer.string(claim.board)
        writer.string(claim.who)
        writer.varint(UInt64(claim.count))
        if let lease = claim.leaseMilliseconds { writer.varint(UInt64(lease)) }
        if !claim.priorities.isEmpty { writer.u8(claim.priorities.mask) }
        if let name = claim.name { writer.string(name) }
    }

    private static func decodeClaimNext(_ reader: inout ByteReader) throws(WireError) -> ClaimNext {
        let flags = try reader.flags(known: 0b111)
        var claim = ClaimNext(board: try reader.name(), who: try reader.name(), count: try reader.varint32())
        if flags.has(0) { claim.leaseMilliseconds = try reader.varint32() }
        if flags.has(1) {
            claim.priorities = try reader.priorities()
            guard !claim.priorities.isEmpty else { throw WireError("an empty set of priorities") }
        }
        if flags.has(2) { claim.name = try reader.name() }
        return claim
    }
}
