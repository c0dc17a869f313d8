extension BoardMachine {
    /// What becomes of one job of a post.
    enum PostStep {
        case new
        /// It is there already: on a board, in the trash, or complete and remembered.
        case known(Int32)
        /// It is the same as an earlier one of this post.
        case same(Int)

        var isNew: Bool { if case .new = self { true } else { false } }
    }

    private static let oneNew = [false]
    private static let oneDuplicate = [true]

    /// All or none. Jobs that are there already are answered as they stand.
    mutating func post(_ jobs: [NewJob], on name: String, events: inout [Event]) throws(JobboardError) -> Outcome {
        if jobs.count == 1 {
            let board = boardIndexes[name]
            let step = try plan(jobs[0], on: name, board: board, leaving: nil)
            try checkRoom(news: step.isNew ? 1 : 0, on: name)
            guard step.isNew else { return .posted([answer(step, [])], duplicates: Self.oneDuplicate) }
            let slot = insert(jobs[0], on: board ?? boardForPost(name), events: &events)
            return .posted([slots[slot].job], duplicates: Self.oneNew)
        }
        let steps = try plan(jobs, on: name, leaving: nil)
        var answers: [Job] = []
        answers.reserveCapacity(jobs.count)
        for (step, job) in zip(steps, jobs) {
            if step.isNew {
                answers.append(slots[insert(job, on: boardForPost(name), events: &events)].job)
            } else {
                answers.append(answer(step, answers))
            }
        }
        return .posted(answers, duplicates: steps.map { !$0.isNew })
    }

    /// What a post would answer if it would change nothing; nil if it would change something.
    func effectlessPost(_ jobs: [NewJob], on name: String) throws(JobboardError) -> Outcome? {
        if jobs.count == 1 {
            let step = try plan(jobs[0], on: name, board: boardIndexes[name], leaving: nil)
            try checkRoom(news: step.isNew ? 1 : 0, on: name)
            return step.isNew ? nil : .posted([answer(step, [])], duplicates: Self.oneDuplicate)
        }
        let steps = try plan(jobs, on: name, leaving: nil)
        guard !steps.contains(where: \.isNew) else { return nil }
        var answers: [Job] = []
        for step in steps { answers.append(answer(step, answers)) }
        return .posted(answers, duplicates: Array(repeating: true, count: steps.count))
    }

    /// Whether each job of a post is on a board already, by its id or its key. Nothing is said of its content.
    package func knowsJobs(of command: Command) -> Bool {
        guard case .post(let name, let jobs) = command else { return false }
        let board = boardIndexes[name]
        return jobs.allSatisfy { job in
            if ids[job.id] != nil { return true }
            guard let key = job.key, let board else { return false }
            return keys[board, key] != nil
        }
    }

    private func answer(_ step: PostStep, _ earlier: [Job]) -> Job {
        switch step {
        case .new: preconditionFailure("a new job has no answer before it is on the board")
        case .known(let slot): return slots[slot].job
        case .same(let index): return earlier[index]
        }
    }

    /// What becomes of each job. `leaving`: a job that is consumed by the same command, whose key is free therefore.
    /// Throws `duplicate` or `overloaded`.
    func plan(_ jobs: [NewJob], on name: String, leaving: Int32?) throws(JobboardError) -> [PostStep] {
        guard !jobs.isEmpty else { return [] }
        let board = boardIndexes[name]
        var steps: [PostStep] = []
        steps.reserveCapacity(jobs.count)
        var seenIDs: [JobID: Int] = [:]
        var seenKeys: [String: Int] = [:]
        for (index, job) in jobs.enumerated() {
            if let earlier = seenIDs[job.id] {
                guard jobs[earlier] == job else { throw Self.otherContent(job, index, of: jobs.count) }
                steps.append(steps[earlier].isNew ? .same(earlier) : steps[earlier])
                continue
            }
            var step = try plan(job, on: name, board: board, leaving: leaving, index, of: jobs.count)
            if step.isNew, let key = job.key, let earlier = seenKeys[key] { step = .same(earlier) }
            if step.isNew, let key = job.key { seenKeys[key] = index }
            if jobs.count > 1 { seenIDs[job.id] = index }
            steps.append(step)
        }
        try checkRoom(news: steps.count(where: \.isNew), on: name)
        try checkAnswer(steps, jobs)
        return steps
    }

    /// Every job of a post is answered, and those that were there before may be far larger than what was sent.
    private func checkAnswer(_ steps: [PostStep], _ jobs: [NewJob]) throws(JobboardError) {
        guard jobs.count > 1 else { return }
        var bytes = 0
        for (place, step) in steps.enumerated() {
            switch step {
            case .new: bytes += jobs[place].details.count
            case .same(let earlier): bytes += jobs[earlier].details.count
            case .known(let slot): bytes += slots[slot].job.answerBytes
            }
        }
        guard bytes <= limits.postAnswerBytes else {
            throw JobboardError(
                .tooLarge, "the answer would have \(bytes) bytes, for jobs that are there already; post fewer at once")
        }
    }

    @inline(__always)
    private func plan(
        _ job: NewJob, on name: String, board: Int32?, leaving: Int32?, _ index: Int = 0, of count: Int = 1
    ) throws(JobboardError) -> PostStep {
        if let slot = ids[job.id] {
            guard slots[slot].content == job.content(on: name) else { throw Self.otherContent(job, index, of: count) }
            return .known(slot)
        }
        if let key = job.key, let board, let slot = keys[board, key], slot != leaving { return .known(slot) }
        return .new
    }

    @inline(__always)
    private func checkRoom(news: Int, on name: String) throws(JobboardError) {
        guard news > 0 else { return }
        if slots.count + news > limits.jobs {
            throw JobboardError(.overloaded, "the cluster holds \(slots.count) jobs, its most")
        }
        if boardIndexes.count >= limits.boards, boardIndexes[name] == nil {
            throw JobboardError(.overloaded, "the cluster holds \(boardIndexes.count) boards, its most")
        }
    }

    private static func otherContent(_ job: NewJob, _ index: Int, of count: Int) -> JobboardError {
        let which = count == 1 ? "" : "job \(index + 1) of \(count): "
        return JobboardError(.duplicate, "\(which)uuid \(job.id) was posted before with other content")
    }

    /// Puts a new job on a board. Its position is that of its POSTED event.
    mutating func insert(_ new: NewJob, on board: Int32, events: inout [Event]) -> Int32 {
        let name = boards[Int(board)].name
        var job = Job(
            id: new.id, board: name, name: new.name, details: new.details, priority: new.priority, createdOn: now,
            position: lastPosition + 1, lastModified: now)
        if new.hasRareFields { job.rare = RareFields(new.rareFields(at: now)) }
        jobBytes += StateCost.job(job)
        let slot = slots.insert(JobRecord(job: job, content: new.content(on: name), board: board))
        ids[new.id] = slot
        if let key = new.key { keys[board, key] = slot }
        lanes[lane(board, new.priority)].onBoard.insert(position: job.position, slot: slot)
        count(board, from: nil, to: .unclaimed)
        becomeReadyOrWait(slot)
        if let moment = job.expiresOn { armExpiry(slot, on: moment) }
        emit(.posted, slot, into: &events)
        return slot
    }
}

extension NewJob {
    fileprivate var hasRareFields: Bool {
        book != nil || key != nil || notBefore != nil || delayMilliseconds != nil || expiresAfterMilliseconds != nil
            || leaseMilliseconds != nil || maxFailures != nil || maxLostClaims != nil
    }

    fileprivate func rareFields(at now: Timestamp) -> RareFields.Values {
        var values = RareFields.Values()
        values.book = book
        values.key = key
        values.notBefore = delayMilliseconds.map { now.adding(milliseconds: Int64(clamping: $0)) } ?? notBefore
        values.expiresOn = expiresAfterMilliseconds.map { now.adding(milliseconds: Int64(clamping: $0)) }
        values.leaseMilliseconds = leaseMilliseconds
        values.maxFailures = maxFailures
        values.maxLostClaims = maxLostClaims
        return values
    }
}
