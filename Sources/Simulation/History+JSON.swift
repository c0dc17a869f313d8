import Jobboard
package import WireFormat

/// Histories as text: one operation a line, as a JSON object. The order of the lines does not matter.
///
/// | key | value |
/// |---|---|
/// | `client` | who asked |
/// | `op` | `post`, `claim`, `claim_next`, `extend`, `abandon`, `consume`, `owner` or `show` |
/// | `jobs` | the jobs that it names, as UUIDs; missing for `claim_next` |
/// | `board` | where it posts or claims; missing where nobody cares |
/// | `who` | in whose name it claims or holds |
/// | `fence` | the fence sent with an extend, abandon or consume |
/// | `lease_ms` | the lease asked for |
/// | `delayed` | true when the job does not become claimable at once: a delay, or an abandon with a failure |
/// | `filtered` | true for a `claim_next` of a name or of some priorities |
/// | `called`, `returned` | microseconds of one clock for all clients; no `returned`: never answered |
/// | `answer` | `ok`, `unknown`, or the word of the error, such as `stale_fence` |
/// | `claims` | for claims that are `ok`: a list of `{"job":…,"fence":…}` |
/// | `duplicates` | for a post that is `ok`: a list of booleans |
/// | `state`, `owner`, `claim_fence` | for `show` (and `owner`, `abandon`): what was answered; `owner` also with an error |
///
/// What the checker does not model must not be done to the jobs of a history: jobs that expire by themselves, follow-ups
/// of a consume, restores and purges. A session's end makes the operation under way `unknown`.
package enum HistoryText {
    package static func append(_ operation: Operation, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("client", operation.client)
        writer.field("op", operation.action.rawValue)
        if !operation.jobs.isEmpty {
            writer.key("jobs")
            writer.beginArray()
            for job in operation.jobs { writer.string(job.description) }
            writer.endArray()
        }
        if let board = operation.board { writer.field("board", board) }
        if let who = operation.who { writer.field("who", who) }
        if let fence = operation.fence { writer.field("fence", fence) }
        if let lease = operation.leaseMilliseconds { writer.field("lease_ms", lease) }
        if operation.isDelayed { writer.field("delayed", true) }
        if operation.isFiltered { writer.field("filtered", true) }
        writer.field("called", operation.called)
        if let returned = operation.returned { writer.field("returned", returned) }
        append(operation.answer, to: &writer)
        writer.endObject()
        writer.endLine()
    }

    private static func append(_ answer: Operation.Answer, to writer: inout JSONWriter) {
        switch answer {
        case .unknown: writer.field("answer", "unknown")
        case .refused(let code, let owner):
            writer.field("answer", code)
            if let owner { writer.field("owner", owner) }
        case .done(let state):
            writer.field("answer", "ok")
            if let state { writer.field("state", state.word) }
        case .posted(let duplicates):
            writer.field("answer", "ok")
            writer.key("duplicates")
            writer.beginArray()
            for duplicate in duplicates { writer.bool(duplicate) }
            writer.endArray()
        case .claimed(let claims):
            writer.field("answer", "ok")
            writer.key("claims")
            writer.beginArray()
            for claim in claims {
                writer.beginObject()
                writer.field("job", claim.job.description)
                writer.field("fence", claim.fence)
                writer.endObject()
            }
            writer.endArray()
        case .seen(let state, let owner, let fence):
            writer.field("answer", "ok")
            if let state { writer.field("state", state.word) }
            writer.field("owner", owner)
            if let fence { writer.field("claim_fence", fence) }
        }
    }

    /// The operation on one line. Throws what is wrong with it.
    package static func read(_ line: [UInt8]) throws(WireError) -> Operation {
        guard let members = try JSONReader.read(line).members else { throw WireError("an operation is a JSON object") }
        let fields = Fields(members)
        let word = try fields.text("op")
        guard let action = Operation.Action(rawValue: word) else { throw WireError("no operation is called \"\(word)\"") }
        var operation = Operation(client: try fields.text("client"), action, called: try fields.number("called"))
        operation.returned = try fields.optionalNumber("returned")
        operation.jobs = try fields.jobs()
        operation.board = try fields.optionalText("board")
        operation.who = try fields.optionalText("who")
        operation.fence = try fields.optionalNumber("fence")
        operation.leaseMilliseconds = try fields.optionalNumber("lease_ms")
        operation.isDelayed = try fields.flag("delayed")
        operation.isFiltered = try fields.flag("filtered")
        operation.answer = try answer(to: action, fields)
        try validate(operation)
        return operation
    }

    private static func answer(to action: Operation.Action, _ fields: Fields) throws(WireError) -> Operation.Answer {
        let word = try fields.text("answer")
        if word == "unknown" { return .unknown }
        guard word == "ok" else { return .refused(code: word, owner: try fields.optionalText("owner")) }
        switch action {
        case .post: return .posted(duplicates: try fields.flags("duplicates"))
        case .claim, .claimNext: return .claimed(try fields.claims())
        case .extend, .abandon, .consume: return .done(state: try fields.state())
        case .owner: return .seen(state: nil, owner: try fields.optionalText("owner"), fence: nil)
        case .show:
            return .seen(
                state: try fields.state(), owner: try fields.optionalText("owner"),
                fence: try fields.optionalNumber("claim_fence"))
        }
    }

    private static func validate(_ operation: Operation) throws(WireError) {
        switch operation.action {
        case .post: break
        case .claimNext:
            guard operation.jobs.isEmpty else { throw WireError("a claim_next names no jobs") }
        case .claim, .extend, .abandon, .consume, .owner, .show:
            guard operation.jobs.count == 1 else { throw WireError("a \(operation.action.rawValue) names one job") }
        }
        if let returned = operation.returned, returned < operation.called { throw WireError("it returned before it was called") }
        if operation.returned == nil, operation.answer != .unknown { throw WireError("an answer without its time") }
        if case .posted(let duplicates) = operation.answer, !duplicates.isEmpty, duplicates.count != operation.jobs.count {
            throw WireError("a post answers once for each job")
        }
        if operation.action == .claim, case .claimed(let claims) = operation.answer {
            guard claims.map(\.job) == operation.jobs else { throw WireError("a claim answers the job that it names") }
        }
    }
}

/// The members of a line, by name.
private struct Fields {
    let members: [JSONValue.Member]

    init(_ members: [JSONValue.Member]) {
        self.members = members
    }

    private func value(_ name: String) -> JSONValue? {
        members.first { $0.name == name }.flatMap { $0.value.isNull ? nil : $0.value }
    }

    func text(_ name: String) throws(WireError) -> String {
        guard let text = try optionalText(name) else { throw WireError("\"\(name)\" is missing") }
        return text
    }

    func optionalText(_ name: String) throws(WireError) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else { throw WireError("\"\(name)\" must be text") }
        return text
    }

    func number(_ name: String) throws(WireError) -> UInt64 {
        guard let number = try optionalNumber(name) else { throw WireError("\"\(name)\" is missing") }
        return number
    }

    func optionalNumber(_ name: String) throws(WireError) -> UInt64? {
        guard let value = value(name) else { return nil }
        guard let number = value.unsigned else { throw WireError("\"\(name)\" must be a whole number") }
        return number
    }

    func flag(_ name: String) throws(WireError) -> Bool {
        guard let value = value(name) else { return false }
        guard case .bool(let flag) = value.content else { throw WireError("\"\(name)\" must be true or false") }
        return flag
    }

    func flags(_ name: String) throws(WireError) -> [Bool] {
        var flags: [Bool] = []
        for item in try items(name) {
            guard case .bool(let flag) = item.content else { throw WireError("\"\(name)\" must hold true or false") }
            flags.append(flag)
        }
        return flags
    }

    func state() throws(WireError) -> JobState? {
        guard let word = try optionalText("state") else { return nil }
        guard let state = JobState(word: word) else { throw WireError("no state is called \"\(word)\"") }
        return state
    }

    func jobs() throws(WireError) -> [JobID] {
        var jobs: [JobID] = []
        for item in try items("jobs") { jobs.append(try Self.job(item)) }
        return jobs
    }

    func claims() throws(WireError) -> [Operation.Claim] {
        var claims: [Operation.Claim] = []
        for item in try items("claims") {
            guard let members = item.members else { throw WireError("a claim is a JSON object") }
            let fields = Fields(members)
            guard let job = fields.value("job") else { throw WireError("a claim names its job") }
            claims.append(Operation.Claim(job: try Self.job(job), fence: try fields.number("fence")))
        }
        return claims
    }

    private func items(_ name: String) throws(WireError) -> [JSONValue] {
        guard let value = value(name) else { return [] }
        guard let items = value.items else { throw WireError("\"\(name)\" must be a list") }
        return items
    }

    private static func job(_ value: JSONValue) throws(WireError) -> JobID {
        guard let text = value.string, let job = JobID(text) else { throw WireError("a job is named by its UUID") }
        return job
    }
}
