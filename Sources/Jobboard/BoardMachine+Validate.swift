extension BoardMachine {
    /// What is wrong with a command whatever the state of the boards; nil when nothing is.
    package func validate(_ command: Command) -> JobboardError? {
        do throws(JobboardError) {
            try check(command)
            return nil
        } catch {
            return error
        }
    }

    /// Throws `invalid_argument` or `too_large`.
    func check(_ command: Command) throws(JobboardError) {
        switch command {
        case .openSession(_, let ttl):
            guard limits.sessionTTLMilliseconds.contains(ttl) else {
                throw Self.outside("the session's time to live", limits.sessionTTLMilliseconds)
            }
        case .closeSession: break
        case .post(let board, let jobs):
            try check(board: board)
            guard !jobs.isEmpty else { throw JobboardError(.invalidArgument, "a post needs at least one job") }
            try check(jobs)
        case .claim(_, let who, let lease):
            try check(who: who)
            try check(lease: lease)
        case .claimNext(let want):
            try check(board: want.board)
            try check(who: want.who)
            try check(lease: want.leaseMilliseconds)
            guard want.count >= 1, want.count <= limits.claimCount else {
                throw Self.outside("the number of jobs to claim", 1...limits.claimCount)
            }
            if let name = want.name { try check(name, "a job's name") }
        case .extend(let holder, let lease):
            try check(who: holder.who)
            try check(lease: lease)
        case .abandon(let holder, let delay, let failure):
            try check(who: holder.who)
            try check(delay: delay, "the delay")
            guard (failure?.utf8.count ?? 0) <= limits.failureBytes else {
                throw JobboardError(.tooLarge, "the text of a failure has at most \(limits.failureBytes) bytes")
            }
        case .consume(let holder, let result, let followUps):
            try check(who: holder.who)
            if let result { try check(json: result, "the result") }
            try check(followUps)
        }
    }

    private func check(_ jobs: [NewJob]) throws(JobboardError) {
        guard jobs.count <= limits.postJobs else {
            throw JobboardError(.tooLarge, "one post has at most \(limits.postJobs) jobs, not \(jobs.count)")
        }
        var bytes = 0
        for index in jobs.indices {
            do throws(JobboardError) {
                try check(jobs[index])
            } catch {
                guard jobs.count > 1 else { throw error }
                throw JobboardError(error.code, "job \(index + 1) of \(jobs.count): \(error.message)")
            }
            bytes += jobs[index].textBytes
        }
        guard bytes <= limits.postBytes else {
            throw JobboardError(.tooLarge, "one post has at most \(limits.postBytes) bytes, not \(bytes)")
        }
    }

    private func check(_ job: NewJob) throws(JobboardError) {
        try check(job.name, "a job's name")
        try check(json: job.details, "the details")
        if let key = job.key { try check(key, "a key") }
        if let book = job.book, book.name.utf8.count > limits.nameBytes {
            throw JobboardError(.invalidArgument, "a book's name has at most \(limits.nameBytes) bytes")
        }
        if let book = job.book, book.name.hasControlCharacter { throw Self.controlCharacter(in: "a book's name") }
        if let moment = job.notBefore, moment.milliseconds < 0 || moment > BoardLimits.lastMoment {
            throw JobboardError(.invalidArgument, "not_before must lie between the years 1970 and 9999")
        }
        try check(delay: job.delayMilliseconds, "the delay")
        try check(delay: job.expiresAfterMilliseconds, "the time to expiry")
        if job.expiresAfterMilliseconds == 0 { throw JobboardError(.invalidArgument, "the time to expiry can't be 0") }
        try check(lease: job.leaseMilliseconds)
        if job.maxFailures == 0 { throw JobboardError(.invalidArgument, "max_failures can't be 0") }
    }

    private func check(_ text: String, _ what: String) throws(JobboardError) {
        guard (1...limits.nameBytes).contains(text.utf8.count) else {
            throw JobboardError(.invalidArgument, "\(what) has 1 to \(limits.nameBytes) bytes, not \(text.utf8.count)")
        }
        guard !text.hasControlCharacter else { throw Self.controlCharacter(in: what) }
    }

    private static func controlCharacter(in what: String) -> JobboardError {
        JobboardError(.invalidArgument, "\(what) has no control characters")
    }

    private func check(who: String) throws(JobboardError) {
        try check(who, "who")
    }

    func check(board: String) throws(JobboardError) {
        guard (1...limits.boardNameBytes).contains(board.utf8.count), Self.isPlain(board) else {
            throw JobboardError(
                .invalidArgument,
                "a board's name has 1 to \(limits.boardNameBytes) characters out of A-Z, a-z, 0-9, '.', '_', '-'")
        }
    }

    private static func isPlain(_ name: String) -> Bool {
        let (low, high) = boardNameBytes
        for byte in name.utf8 {
            guard byte < 128, (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1 else { return false }
        }
        return true
    }

    /// A-Z, a-z, 0-9, '.', '_' and '-', each as a bit.
    private static let boardNameBytes: (low: UInt64, high: UInt64) = {
        var bits: (low: UInt64, high: UInt64) = (0, 0)
        for byte in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-".utf8 {
            if byte < 64 { bits.low |= 1 << UInt64(byte) } else { bits.high |= 1 << UInt64(byte - 64) }
        }
        return bits
    }()

    private func check(lease: UInt32?) throws(JobboardError) {
        if let lease, !limits.leaseMilliseconds.contains(lease) { throw Self.outside("a lease", limits.leaseMilliseconds) }
    }

    private func check(delay: UInt64?, _ what: String) throws(JobboardError) {
        if let delay, delay > limits.delayMilliseconds {
            throw JobboardError(.invalidArgument, "\(what) is at most \(limits.delayMilliseconds) ms")
        }
    }

    private func check(json: [UInt8], _ what: String) throws(JobboardError) {
        guard json.count <= limits.jsonBytes else {
            throw JobboardError(.tooLarge, "\(what) may have \(limits.jsonBytes) bytes, not \(json.count)")
        }
        guard json.isEmpty || JSONSyntax.isValid(json) else {
            throw JobboardError(.invalidArgument, "\(what) must be JSON, nested at most \(JSONSyntax.maxDepth) deep")
        }
    }

    private static func outside(_ what: String, _ range: ClosedRange<UInt32>) -> JobboardError {
        let unit = what.hasPrefix("the number") ? "" : " ms"
        return JobboardError(.invalidArgument, "\(what) must be \(range.lowerBound) to \(range.upperBound)\(unit)")
    }
}

extension NewJob {
    /// What counts against the limit of a post.
    fileprivate var textBytes: Int {
        name.utf8.count + details.count + (key?.utf8.count ?? 0) + (book?.name.utf8.count ?? 0)
    }
}
