import Jobboard

extension ClientCodec {
    private enum Tag: UInt8 {
        case sessionOpened = 1
        case sessionClosed = 2
        case posted = 3
        case claimed = 4
        case changed = 5
        case refused = 6
        case job = 7
        case owner = 8
        case jobs = 9
        case count = 10
        case status = 11
        case ready = 12
        case watching = 13
        case events = 14
        case failed = 15
        case notLeader = 16
        case digest = 17
        case otherTerm = 18
    }

    /// Appends a response's whole frame.
    package static func append(_ response: Response, number: UInt64, to output: inout [UInt8]) {
        var writer = ByteWriter(taking: &output)
        let frame = writer.beginFrame()
        writer.u8(tag(response).rawValue)
        writer.varint(number)
        switch response {
        case .outcome(let outcome): append(outcome, to: &writer)
        case .job(let job): writer.job(job)
        case .owner(let owner): writer.optionalString(owner)
        case .jobs(let page): append(page, to: &writer)
        case .count(let count): writer.varint(count)
        case .status(let status): writer.status(status)
        case .digest(let index, let digest):
            writer.varint(index)
            writer.u64(digest)
        case .ready(let ready): writer.bool(ready)
        case .watching(let position): writer.varint(position)
        case .events(let events): writer.events(events)
        case .failed(let error): writer.error(error)
        case .notLeader(let leader): writer.optionalString(leader)
        case .otherTerm(let term): writer.varint(term)
        }
        writer.endFrame(frame)
        writer.give(to: &output)
    }

    /// Reads a response's body.
    package static func decodeResponse(
        _ body: UnsafeRawBufferPointer
    ) throws(WireError) -> (number: UInt64, response: Response) {
        var reader = ByteReader(body)
        let tag: Tag = try reader.tag("response")
        let number = try reader.varint()
        let response = try decodeResponse(tag, &reader)
        try reader.finish()
        return (number, response)
    }

    private static func tag(_ response: Response) -> Tag {
        switch response {
        case .outcome(.sessionOpened): .sessionOpened
        case .outcome(.sessionClosed): .sessionClosed
        case .outcome(.posted): .posted
        case .outcome(.claimed): .claimed
        case .outcome(.changed): .changed
        case .outcome(.refused): .refused
        case .job: .job
        case .owner: .owner
        case .jobs: .jobs
        case .count: .count
        case .status: .status
        case .digest: .digest
        case .ready: .ready
        case .watching: .watching
        case .events: .events
        case .failed: .failed
        case .notLeader: .notLeader
        case .otherTerm: .otherTerm
        }
    }

    private static func decodeResponse(_ tag: Tag, _ reader: inout ByteReader) throws(WireError) -> Response {
        switch tag {
        case .sessionOpened: return .outcome(.sessionOpened(try reader.varint()))
        case .sessionClosed: return .outcome(.sessionClosed)
        case .posted: return .outcome(try decodePosted(&reader))
        case .claimed: return .outcome(.claimed(try reader.jobs()))
        case .changed: return .outcome(.changed(try reader.job()))
        case .refused: return .outcome(.refused(try reader.error()))
        case .job: return .job(try reader.job())
        case .owner: return .owner(try reader.optionalString())
        case .jobs: return .jobs(try decodePage(&reader))
        case .count: return .count(try reader.varint())
        case .status: return .status(try reader.status())
        case .digest: return .digest(index: try reader.varint(), try reader.u64())
        case .ready: return .ready(try reader.bool())
        case .watching: return .watching(from: try reader.varint())
        case .events: return .events(try reader.events())
        case .failed: return .failed(try reader.error())
        case .notLeader: return .notLeader(leader: try reader.optionalString())
        case .otherTerm: return .otherTerm(try reader.varint())
        }
    }

    private static func append(_ outcome: Outcome, to writer: inout ByteWriter) {
        switch outcome {
        case .sessionOpened(let session):
            writer.varint(session)
        case .sessionClosed:
            break
        case .posted(let jobs, let duplicates):
            precondition(jobs.count == duplicates.count, "\(jobs.count) jobs posted, \(duplicates.count) marks")
            writer.varint(UInt64(jobs.count))
            for (job, duplicate) in zip(jobs, duplicates) {
                writer.bool(duplicate)
                writer.job(job)
            }
        case .claimed(let jobs):
            writer.jobs(jobs)
        case .changed(let job):
            writer.job(job)
        case .refused(let error):
            writer.error(error)
        }
    }

    private static func decodePosted(_ reader: inout ByteReader) throws(WireError) -> Outcome {
        let count = try reader.count(minimumSize: 1 + ByteReader.smallestJob, maximum: AnswerBounds.jobs)
        var jobs: [Job] = []
        var duplicates: [Bool] = []
        jobs.reserveCapacity(count)
        duplicates.reserveCapacity(count)
        for _ in 0..<count {
            duplicates.append(try reader.bool())
            jobs.append(try reader.job())
        }
        return .posted(jobs, duplicates: duplicates)
    }

    private static func append(_ page: JobsPage, to writer: inout ByteWriter) {
        writer.varint(flag(page.cursor != nil, 0))
        writer.varint(page.position)
        if let cursor = page.cursor { writer.cursor(cursor) }
        writer.jobs(page.jobs)
    }

    private static func decodePage(_ reader: inout ByteReader) throws(WireError) -> JobsPage {
        let flags = try reader.flags(known: 0b1)
        let position = try reader.varint()
        let cursor = try flags.has(0) ? reader.cursor() : nil
        return JobsPage(jobs: try reader.jobs(), cursor: cursor, position: position)
    }
}
