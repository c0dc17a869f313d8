package import Jobboard

/// Reads a job to post from a JSON object: a line of `post --from`, or the body of an HTTP post.
///
/// Absent and `null` mean the same for every key but `name`. A printed job is taken, too: what a board writes into its jobs
/// itself is passed over. What the board itself checks (lengths, limits) is left to it.
package enum NewJobJSON {
    /// A whole text. `id` is the job's identity when the text names none. Throws `invalid_argument` with one line that
    /// says what is wrong.
    package static func read(_ text: [UInt8], otherwise id: JobID) throws(JobboardError) -> NewJob {
        let value: JSONValue
        do {
            value = try JSONReader.read(text)
        } catch {
            throw invalid("not JSON: \(error.message)")
        }
        return try read(value, of: text, otherwise: id)
    }

    /// One value of a text that was read before: an item of a list, say.
    package static func read(_ value: JSONValue, of text: [UInt8], otherwise id: JobID) throws(JobboardError) -> NewJob {
        guard let members = value.members else { throw invalid("a job must be an object") }
        var job = NewJob(id: id, name: "")
        var seen: [String] = []
        for member in members {
            let key = member.name
            guard !seen.contains(key) else { throw invalid("\"\(key)\" is there twice") }
            try set(key, member.value, of: text, in: &job)
            seen.append(key)
        }
        guard seen.contains("name") else { throw invalid("\"name\" is missing") }
        return job
    }

    private static func set(
        _ key: String, _ value: JSONValue, of text: [UInt8], in job: inout NewJob
    ) throws(JobboardError) {
        let isNull = value.isNull
        switch key {
        case "name": job.name = try string(key, value)
        case "uuid": if !isNull { job.id = try uuid(key, value) }
        case "details": if !isNull { job.details = [UInt8](text[value.range]) }
        case "book": if !isNull { job.book = try book(value) }
        case "priority": if !isNull { job.priority = try priority(value) }
        case "key": if !isNull { job.key = try string(key, value) }
        case "not_before": if !isNull { job.notBefore = try moment(key, value) }
        case "delay_ms": if !isNull { job.delayMilliseconds = try number(key, value, atMost: .max) }
        case "expires_after_ms": if !isNull { job.expiresAfterMilliseconds = try number(key, value, atMost: .max) }
        case "lease_ms": if !isNull { job.leaseMilliseconds = UInt32(try number(key, value, atMost: UInt64(UInt32.max))) }
        case "max_failures": if !isNull { job.maxFailures = UInt32(try number(key, value, atMost: UInt64(UInt32.max))) }
        case "max_lost_claims": if !isNull { job.maxLostClaims = UInt32(try number(key, value, atMost: UInt64(UInt32.max))) }
        case "board", "state", "created_on", "last_modified", "position", "owner", "fence", "lease_until", "expires_on", "claims",
            "failures", "lost_claims", "last_failure", "result", "duplicate":
            break
        default: throw invalid("unknown key \(quoted(key))")
        }
    }

    private static func book(_ value: JSONValue) throws(JobboardError) -> Book {
        guard let members = value.members else { throw invalid("\"book\" must be an object with \"uuid\" and \"name\"") }
        var id: JobID?
        var name: String?
        for member in members {
            switch member.name {
            case "uuid" where id == nil: id = try uuid("book.uuid", member.value)
            case "name" where name == nil: name = try string("book.name", member.value)
            case "uuid", "name": throw invalid("\"book.\(member.name)\" is there twice")
            case "board", "state", "created_on", "last_modified", "position", "owner", "fence", "lease_until", "expires_on",
                "claims",
                "failures", "last_failure", "result", "duplicate":
                break
            default: throw invalid("unknown key \(quoted("book." + member.name))")
            }
        }
        guard let id, let name else { throw invalid("\"book\" must have \"uuid\" and \"name\"") }
        return Book(uuid: id, name: name)
    }

    private static func string(_ key: String, _ value: JSONValue) throws(JobboardError) -> String {
        guard let text = value.string else { throw invalid("\"\(key)\" must be a string") }
        return text
    }

    private static func uuid(_ key: String, _ value: JSONValue) throws(JobboardError) -> JobID {
        guard let text = value.string, let id = JobID(text) else {
            throw invalid("\"\(key)\" must be a UUID of 36 characters")
        }
        return id
    }

    private static func priority(_ value: JSONValue) throws(JobboardError) -> Priority {
        guard let text = value.string, let priority = Priority(word: text) else {
            let words = Priority.allCases.map(\.word).joined(separator: ", ")
            throw invalid("\"priority\" must be one of \(words)")
        }
        return priority
    }

    private static func moment(_ key: String, _ value: JSONValue) throws(JobboardError) -> Timestamp {
        guard let text = value.string, let time = RFC3339.parse(text) else {
            throw invalid("\"\(key)\" must be a time such as \"2026-03-01T12:00:00.250Z\"")
        }
        return time
    }

    private static func number(_ key: String, _ value: JSONValue, atMost limit: UInt64) throws(JobboardError) -> UInt64 {
        guard let number = value.unsigned, number <= limit else {
            throw invalid("\"\(key)\" must be a whole number from 0 to \(limit)")
        }
        return number
    }

    /// A stranger's key as JSON text, so that it stays on one line.
    private static func quoted(_ key: String) -> String {
        var writer = JSONWriter()
        writer.string(key)
        return writer.text
    }

    private static func invalid(_ message: String) -> JobboardError {
        JobboardError(.invalidArgument, message)
    }
}
