import Jobboard

// The bytes of a job and of a job to post. Optional fields follow a flags varint whose bits are in the fields' order.

extension ByteWriter {
    mutating func jobID(_ id: JobID) {
        pair(high: id.high, low: id.low)
    }

    mutating func sessionKey(_ key: SessionKey) {
        pair(high: key.high, low: key.low)
    }

    mutating func timestamp(_ time: Timestamp) {
        signedVarint(time.milliseconds)
    }

    mutating func book(_ book: Book) {
        jobID(book.uuid)
        string(book.name)
    }

    mutating func newJob(_ job: NewJob) {
        varint(
            flag(job.book != nil, 0) | flag(job.key != nil, 1) | flag(job.notBefore != nil, 2)
                | flag(job.delayMilliseconds != nil, 3) | flag(job.expiresAfterMilliseconds != nil, 4)
                | flag(job.leaseMilliseconds != nil, 5) | flag(job.maxFailures != nil, 6) | flag(job.maxLostClaims != nil, 7))
        u8(job.priority.rawValue)
        jobID(job.id)
        string(job.name)
        byteString(job.details)
        if let value = job.book { book(value) }
        if let value = job.key { string(value) }
        if let value = job.notBefore { timestamp(value) }
        if let value = job.delayMilliseconds { varint(value) }
        if let value = job.expiresAfterMilliseconds { varint(value) }
        if let value = job.leaseMilliseconds { varint(UInt64(value)) }
        if let value = job.maxFailures { varint(UInt64(value)) }
        if let value = job.maxLostClaims { varint(UInt64(value)) }
    }

    mutating func newJobs(_ jobs: [NewJob]) {
        varint(UInt64(jobs.count))
        for job in jobs { newJob(job) }
    }

    /// Without its board where the reader knows it.
    mutating func job(_ job: Job, withBoard: Bool = true) {
        let rare = job.rare?.values
        varint(jobFlags(job, rare))
        u8(job.state.rawValue)
        u8(job.priority.rawValue)
        jobID(job.id)
        if withBoard { string(job.board) }
        string(job.name)
        byteString(job.details)
        timestamp(job.createdOn)
        timestamp(job.lastModified)
        varint(job.position)
        varint(UInt64(job.claims))
        varint(UInt64(job.failures))
        if let value = job.owner { string(value) }
        if let value = job.fence { varint(value) }
        if let value = job.leaseUntil { timestamp(value) }
        guard let rare else { return }
        if let value = rare.book { book(value) }
        if let value = rare.key { string(value) }
        if let value = rare.notBefore { timestamp(value) }
        if let value = rare.expiresOn { timestamp(value) }
        if let value = rare.leaseMilliseconds { varint(UInt64(value)) }
        if let value = rare.maxFailures { varint(UInt64(value)) }
        if let value = rare.lastFailure { string(value) }
        if let value = rare.result { byteString(value) }
        if rare.lostClaims > 0 { varint(UInt64(rare.lostClaims)) }
        if let value = rare.maxLostClaims { varint(UInt64(value)) }
    }

    private func jobFlags(_ job: Job, _ rare: RareFields.Values?) -> UInt64 {
        let flags =
            flag(job.owner != nil, 0) | flag(job.fence != nil, 1) | flag(job.leaseUntil != nil, 2) | flag(job.isPartial, 11)
        guard let rare else { return flags }
        return flags | flag(rare.book != nil, 3) | flag(rare.key != nil, 4) | flag(rare.notBefore != nil, 5)
            | flag(rare.expiresOn != nil, 6) | flag(rare.leaseMilliseconds != nil, 7) | flag(rare.maxFailures != nil, 8)
            | flag(rare.lastFailure != nil, 9) | flag(rare.result != nil, 10)
            | flag(rare.lostClaims > 0, 12) | flag(rare.maxLostClaims != nil, 13)
    }

    mutating func jobs(_ jobs: [Job]) {
        varint(UInt64(jobs.count))
        for one in jobs { job(one) }
    }
}

/// One bit of a flags field, when the condition holds.
func flag(_ condition: Bool, _ bit: UInt64) -> UInt64 {
    condition ? 1 << bit : 0
}

extension UInt64 {
    /// Whether a bit of a flags field is set.
    func has(_ bit: UInt64) -> Bool {
        self >> bit & 1 == 1
    }
}

extension ByteReader {
    /// Bytes of the smallest job to post: flags, priority, identity, and three lengths.
    static let smallestNewJob = 20
    /// Bytes of the smallest job: flags, state, priority, identity, three lengths, two times, three numbers.
    static let smallestJob = 27

    /// Of a job's flags, those of rare fields.
    private static let rareFlags: UInt64 = 0x37f8

    mutating func jobID() throws(WireError) -> JobID {
        let (high, low) = try pair()
        return JobID(high: high, low: low)
    }

    mutating func sessionKey() throws(WireError) -> SessionKey {
        let (high, low) = try pair()
        return SessionKey(high: high, low: low)
    }

    mutating func timestamp() throws(WireError) -> Timestamp {
        Timestamp(milliseconds: try signedVarint())
    }

    mutating func priority() throws(WireError) -> Priority {
        try tag("priority")
    }

    mutating func book() throws(WireError) -> Book {
        Book(uuid: try jobID(), name: try string())
    }

    mutating func newJob() throws(WireError) -> NewJob {
        let flags = try flags(known: 0xff)
        let priority = try priority()
        var job = NewJob(id: try jobID(), name: try name(), details: try byteString(), priority: priority)
        if flags.has(0) { job.book = Book(uuid: try jobID(), name: try name()) }
        if flags.has(1) { job.key = try name() }
        if flags.has(2) { job.notBefore = try timestamp() }
        if flags.has(3) { job.delayMilliseconds = try varint() }
        if flags.has(4) { job.expiresAfterMilliseconds = try varint() }
        if flags.has(5) { job.leaseMilliseconds = try varint32() }
        if flags.has(6) { job.maxFailures = try varint32() }
        if flags.has(7) { job.maxLostClaims = try varint32() }
        return job
    }

    mutating func newJobs() throws(WireError) -> [NewJob] {
        let count = try count(minimumSize: Self.smallestNewJob, maximum: RequestBounds.newJobs)
        var jobs: [NewJob] = []
        jobs.reserveCapacity(count)
        for _ in 0..<count { jobs.append(try newJob()) }
        return jobs
    }

    /// `known`: the board, where the bytes don't name it.
    mutating func job(on known: String? = nil) throws(WireError) -> Job {
        let flags = try flags(known: 0x3fff)
        let state: JobState = try tag("job state")
        let priority = try priority()
        let id = try jobID()
        let board: String
        if let known { board = known } else { board = try string() }
        let name = try string()
        let details = try byteString()
        let createdOn = try timestamp()
        let lastModified = try timestamp()
        let position = try varint()
        let claims = try varint32()
        let failures = try varint32()
        let owner = try flags.has(0) ? string() : nil
        let fence = try flags.has(1) ? varint() : nil
        let leaseUntil = try flags.has(2) ? timestamp() : nil
        var job = Job(
            id: id, board: board, name: name, details: details, priority: priority, createdOn: createdOn, position: position,
            state: state, lastModified: lastModified, owner: owner, fence: fence, leaseUntil: leaseUntil, claims: claims,
            failures: failures, rare: try flags & Self.rareFlags == 0 ? nil : rareFields(flags))
        job.isPartial = flags.has(11)
        return job
    }

    private mutating func rareFields(_ flags: UInt64) throws(WireError) -> RareFields {
        var values = RareFields.Values()
        if flags.has(3) { values.book = try book() }
        if flags.has(4) { values.key = try string() }
        if flags.has(5) { values.notBefore = try timestamp() }
        if flags.has(6) { values.expiresOn = try timestamp() }
        if flags.has(7) { values.leaseMilliseconds = try varint32() }
        if flags.has(8) { values.maxFailures = try varint32() }
        if flags.has(9) { values.lastFailure = try string() }
        if flags.has(10) { values.result = try byteString() }
        if flags.has(12) {
            values.lostClaims = try varint32()
            guard values.lostClaims > 0 else { throw WireError("no lost claims, and a field for them") }
        }
        if flags.has(13) { values.maxLostClaims = try varint32() }
        return RareFields(values)
    }

    mutating func jobs() throws(WireError) -> [Job] {
        let count = try count(minimumSize: Self.smallestJob, maximum: AnswerBounds.jobs)
        var jobs: [Job] = []
        jobs.reserveCapacity(count)
        for _ in 0..<count { jobs.append(try job()) }
        return jobs
    }
}
