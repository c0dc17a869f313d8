/// What a session keeps of an answer, to give it again when the request is repeated: what makes it the same answer, and
/// nothing that the board has anyway. The rest of each job is read from the board at the time of the repetition.
///
/// An answer to one job takes no memory of its own: further jobs are in an array, which is mostly empty.
package enum RetainedOutcome: Sendable, Equatable {
    package struct Posted: Sendable, Equatable {
        package var id: JobID
        package var position: UInt64
        package var isDuplicate: Bool

        package init(id: JobID, position: UInt64, isDuplicate: Bool) {
            self.id = id
            self.position = position
            self.isDuplicate = isDuplicate
        }
    }

    package struct Claimed: Sendable, Equatable {
        package var id: JobID
        package var fence: UInt64
        package var leaseUntil: Timestamp

        package init(id: JobID, fence: UInt64, leaseUntil: Timestamp) {
            self.id = id
            self.fence = fence
            self.leaseUntil = leaseUntil
        }
    }

    /// A job after an extend, an abandon or a consume; fence and lease end while it is claimed.
    package struct Changed: Sendable, Equatable {
        package var id: JobID
        package var state: JobState
        package var fence: UInt64?
        package var leaseUntil: Timestamp?

        package init(id: JobID, state: JobState, fence: UInt64?, leaseUntil: Timestamp?) {
            self.id = id
            self.state = state
            self.fence = fence
            self.leaseUntil = leaseUntil
        }
    }

    /// The first job and the others.
    case posted(Posted, [Posted])
    case claimed(Claimed, [Claimed])
    case changed(Changed)
    indirect case refused(JobboardError)

    /// nil for what no session keeps: the opening and the end of a session, and a claim that got nothing.
    init?(_ outcome: Outcome) {
        switch outcome {
        case .sessionOpened, .sessionClosed: return nil
        case .posted(let jobs, let duplicates):
            guard let first = jobs.first else { return nil }
            let rest = jobs.count == 1 ? [] : zip(jobs, duplicates).dropFirst().map { Posted($0, isDuplicate: $1) }
            self = .posted(Posted(first, isDuplicate: duplicates[0]), rest)
        case .claimed(let jobs):
            guard let first = jobs.first else { return nil }
            self = .claimed(Claimed(first), jobs.count == 1 ? [] : jobs.dropFirst().map { Claimed($0) })
        case .changed(let job):
            self = .changed(Changed(id: job.id, state: job.state, fence: job.fence, leaseUntil: job.leaseUntil))
        case .refused(let error): self = .refused(error)
        }
    }

    var isRefusal: Bool {
        if case .refused = self { true } else { false }
    }

    /// The bytes that it counts for, at least as many as it takes in memory and in a snapshot.
    package var cost: Int {
        switch self {
        case .posted(_, let others): StateCost.retained + others.count * StateCost.retainedJob
        case .claimed(_, let others): StateCost.retained + others.count * StateCost.retainedJob
        case .changed: StateCost.retained
        case .refused(let error):
            2 * StateCost.retained + error.code.rawValue.utf8.count + error.message.utf8.count + (error.owner?.utf8.count ?? 0)
        }
    }
}

extension RetainedOutcome.Posted {
    fileprivate init(_ job: Job, isDuplicate: Bool) {
        self.init(id: job.id, position: job.position, isDuplicate: isDuplicate)
    }
}

extension RetainedOutcome.Claimed {
    fileprivate init(_ job: Job) {
        self.init(id: job.id, fence: job.fence ?? 0, leaseUntil: job.leaseUntil ?? Timestamp(milliseconds: 0))
    }
}

extension BoardMachine {
    /// The answer to a repeated request: the same ids, positions, fences, lease ends and states as the first time. Everything
    /// else of a job is as it stands now; a job that is gone, or whose details are, is marked as partial. So are jobs that have
    /// grown by results and failures until all together would make too large an answer.
    func answer(_ retained: RetainedOutcome, again command: Command) -> Outcome {
        switch retained {
        case .posted(let first, let others):
            var (jobs, duplicates): ([Job], [Bool]) = ([], [])
            var room = limits.postAnswerBytes
            for posted in [first] + others {
                jobs.append(answer(posted, command.board, &room))
                duplicates.append(posted.isDuplicate)
            }
            return .posted(jobs, duplicates: duplicates)
        case .claimed(let first, let others):
            var jobs: [Job] = []
            var room = limits.postAnswerBytes
            for claimed in [first] + others { jobs.append(answer(claimed, command.who, command.board, &room)) }
            return .claimed(jobs)
        case .changed(let changed): return .changed(answer(changed, command.who))
        case .refused(let error): return .refused(error)
        }
    }

    private func answer(_ posted: RetainedOutcome.Posted, _ board: String?, _ room: inout Int) -> Job {
        guard var job = job(posted.id), job.position == posted.position, job.fits(&room) else {
            return Job(goneWith: posted.id, board: board, position: posted.position, state: .unclaimed)
        }
        job.isPartial = job.state == .complete
        return job
    }

    private func answer(_ claimed: RetainedOutcome.Claimed, _ who: String?, _ board: String?, _ room: inout Int) -> Job {
        var answer = Job(goneWith: claimed.id, board: board, position: 0, state: .claimed)
        if let job = job(claimed.id), job.fits(&room) {
            answer = job
            answer.isPartial = job.state == .complete
        }
        answer.state = .claimed
        answer.owner = who ?? answer.owner
        answer.fence = claimed.fence
        answer.leaseUntil = claimed.leaseUntil
        return answer
    }

    private func answer(_ changed: RetainedOutcome.Changed, _ who: String?) -> Job {
        var answer = job(changed.id)?.withoutBody ?? Job(goneWith: changed.id, board: nil, position: 0, state: changed.state)
        answer.state = changed.state
        answer.owner = changed.state == .claimed ? who ?? answer.owner : nil
        answer.fence = changed.fence
        answer.leaseUntil = changed.leaseUntil
        return answer
    }
}

extension Command {
    /// Who claims or holds, where the command says it.
    fileprivate var who: String? {
        switch self {
        case .claim(_, let who, _): who
        case .claimNext(let want): want.who
        case .extend(let holder, _), .abandon(let holder, _, _), .consume(let holder, _, _): holder.who
        case .openSession, .closeSession, .post: nil
        }
    }

    fileprivate var board: String? {
        switch self {
        case .post(let board, _): board
        case .claimNext(let want): want.board
        case .openSession, .closeSession, .claim, .extend, .abandon, .consume: nil
        }
    }
}

extension Job {
    /// What can still be said of a job that is forgotten.
    fileprivate init(goneWith id: JobID, board: String?, position: UInt64, state: JobState) {
        let unknown = Timestamp(milliseconds: 0)
        self.init(
            id: id, board: board ?? "", name: "", details: [], priority: .normal, createdOn: unknown, position: position,
            state: state, lastModified: unknown)
        isPartial = true
    }

    /// Whether an answer has room for it; what it takes is gone then.
    fileprivate func fits(_ room: inout Int) -> Bool {
        guard answerBytes <= room else { return false }
        room -= answerBytes
        return true
    }

    /// The job as answers to extend, abandon and consume carry it.
    var withoutBody: Job {
        var job = self
        job.dropBody()
        return job
    }

    mutating func dropBody() {
        if !details.isEmpty { details = [] }
        if rare?.values.result != nil { changeRare { $0.result = nil } }
    }
}

extension Outcome {
    /// Whether two answers to the same request are the same answer: the same kind, ids, positions, fences, lease ends and
    /// states of what was changed. What else is said of a job may have changed between them.
    package func isSameAnswer(as other: Outcome) -> Bool {
        switch (self, other) {
        case (.posted(let jobs, let duplicates), .posted(let others, let otherDuplicates)):
            duplicates == otherDuplicates
                && jobs.elementsEqual(others) { $0.id == $1.id && $0.position == $1.position }
        case (.claimed(let jobs), .claimed(let others)): jobs.elementsEqual(others) { $0.hasSameClaim(as: $1) }
        case (.changed(let job), .changed(let other)): job.hasSameClaim(as: other)
        default: self == other
        }
    }
}

extension Job {
    fileprivate func hasSameClaim(as other: Job) -> Bool {
        id == other.id && state == other.state && owner == other.owner && fence == other.fence
            && leaseUntil == other.leaseUntil
    }
}
