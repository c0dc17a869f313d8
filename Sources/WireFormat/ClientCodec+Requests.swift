import Jobboard

extension ClientCodec {
    private enum Tag: UInt8 {
        case write = 1
        case job = 2
        case owner = 3
        case jobs = 4
        case count = 5
        case status = 6
        case waitForClaimable = 7
        case waitForEnd = 8
        case watch = 9
        case cancel = 10
        case digest = 11
        case session = 12
    }

    /// Appends a request's whole frame.
    package static func append(_ request: Request, number: UInt64, to output: inout [UInt8]) {
        var writer = ByteWriter(taking: &output)
        let frame = writer.beginFrame()
        writer.u8(tag(request).rawValue)
        writer.varint(number)
        switch request {
        case .session(let local, let token, let ttlMilliseconds, let resumed):
            writer.varint(flag(resumed, 0))
            writer.varint(local)
            writer.pair(high: token.high, low: token.low)
            writer.varint(UInt64(ttlMilliseconds))
        case .write(let call, let sending):
            writer.varint(flag(sending.isRepeated, 0))
            writer.varint(sending.term)
            writer.varint(UInt64(sending.waitMilliseconds))
            CommandCodec.append(call, to: &writer)
        case .read(let query, let fresh):
            writer.bool(fresh)
            append(query, to: &writer)
        case .waitForClaimable(let board, let milliseconds):
            writer.string(board)
            writer.varint(UInt64(milliseconds))
        case .waitForEnd(let job, let milliseconds):
            writer.jobID(job)
            writer.varint(UInt64(milliseconds))
        case .watch(let board, let position):
            writer.varint(flag(board != nil, 0) | flag(position != nil, 1))
            if let board { writer.string(board) }
            if let position { writer.varint(position) }
        case .cancel(let other):
            writer.varint(other)
        }
        writer.endFrame(frame)
        writer.give(to: &output)
    }

    /// Reads a request's body.
    package static func decodeRequest(
        _ body: UnsafeRawBufferPointer
    ) throws(WireError) -> (number: UInt64, request: Request) {
        var reader = ByteReader(body)
        let tag: Tag = try reader.tag("request")
        let number = try reader.varint()
        let request = try decodeRequest(tag, &reader)
        try reader.finish()
        return (number, request)
    }

    private static func tag(_ request: Request) -> Tag {
        switch request {
        case .session: .session
        case .write: .write
        case .read(.job, _): .job
        case .read(.owner, _): .owner
        case .read(.jobs, _): .jobs
        case .read(.count, _): .count
        case .read(.status, _): .status
        case .read(.digest, _): .digest
        case .waitForClaimable: .waitForClaimable
        case .waitForEnd: .waitForEnd
        case .watch: .watch
        case .cancel: .cancel
        }
    }

    private static func decodeRequest(_ tag: Tag, _ reader: inout ByteReader) throws(WireError) -> Request {
        switch tag {
        case .session:
            let flags = try reader.flags(known: 0b1)
            let local = try reader.varint()
            let (high, low) = try reader.pair()
            return .session(
                local: local, SessionToken(high: high, low: low), ttlMilliseconds: try reader.varint32(), resumed: flags.has(0))
        case .write:
            let flags = try reader.flags(known: 0b1)
            let sending = Sending(
                term: try reader.varint(), isRepeated: flags.has(0), waitMilliseconds: try reader.varint32())
            return .write(try CommandCodec.decodeOne(&reader), sending)
        case .job, .owner, .jobs, .count, .status, .digest:
            let fresh = try reader.bool()
            return .read(try decodeQuery(tag, &reader), fresh: fresh)
        case .waitForClaimable:
            return .waitForClaimable(board: try reader.name(), milliseconds: try reader.varint32())
        case .waitForEnd:
            return .waitForEnd(job: try reader.jobID(), milliseconds: try reader.varint32())
        case .watch:
            let flags = try reader.flags(known: 0b11)
            return .watch(board: try flags.has(0) ? reader.name() : nil, from: try flags.has(1) ? reader.varint() : nil)
        case .cancel:
            return .cancel(try reader.varint())
        }
    }

    private static func append(_ query: Query, to writer: inout ByteWriter) {
        switch query {
        case .job(let id), .owner(let id):
            writer.jobID(id)
        case .jobs(let query):
            append(query, to: &writer)
        case .count(let board, let state):
            writer.varint(flag(state != nil, 0))
            writer.string(board)
            if let state { writer.u8(state.rawValue) }
        case .status, .digest:
            break
        }
    }

    private static func decodeQuery(_ tag: Tag, _ reader: inout ByteReader) throws(WireError) -> Query {
        switch tag {
        case .job:
            return .job(try reader.jobID())
        case .owner:
            return .owner(try reader.jobID())
        case .jobs:
            return .jobs(try decodeJobsQuery(&reader))
        case .count:
            let flags = try reader.flags(known: 0b1)
            let board = try reader.name()
            return .count(board: board, state: try flags.has(0) ? reader.tag("job state") : nil)
        case .status:
            return .status
        case .digest:
            return .digest
        case .session, .write, .waitForClaimable, .waitForEnd, .watch, .cancel:
            preconditionFailure("request tag \(tag) is no query")
        }
    }

    private static func append(_ query: JobsQuery, to writer: inout ByteWriter) {
        writer.varint(flag(query.owner != nil, 0) | flag(query.name != nil, 1) | flag(query.cursor != nil, 2))
        writer.string(query.board)
        writer.u8(query.states.mask)
        writer.varint(UInt64(query.limit))
        if let owner = query.owner { writer.string(owner) }
        if let name = query.name { writer.string(name) }
        if let cursor = query.cursor { writer.cursor(cursor) }
    }

    private static func decodeJobsQuery(_ reader: inout ByteReader) throws(WireError) -> JobsQuery {
        let flags = try reader.flags(known: 0b111)
        var query = JobsQuery(board: try reader.name())
        query.states = try reader.states()
        query.limit = try reader.varint32()
        if flags.has(0) { query.owner = try reader.name() }
        if flags.has(1) { query.name = try reader.name() }
        if flags.has(2) { query.cursor = try reader.cursor() }
        return query
    }
}

extension ByteWriter {
    mutating func cursor(_ cursor: JobsQuery.Cursor) {
        u8(cursor.priority.rawValue)
        varint(cursor.position)
    }
}

extension ByteReader {
    mutating func cursor() throws(WireError) -> JobsQuery.Cursor {
        JobsQuery.Cursor(priority: try priority(), position: try varint())
    }
}
