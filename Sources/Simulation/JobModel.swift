import Jobboard

/// One job as the checker imagines it.
struct ModelJob: Hashable {
    enum Phase: UInt8 {
        case absent, ready, waiting, claimed, complete, trashed
    }

    var phase = Phase.absent
    /// The number of the owner's name; -1 for nobody.
    var owner: Int32 = -1
    /// Of the current claim; 0 when no client was told.
    var fence: UInt64 = 0
    /// The greatest fence that any client was told for this job so far.
    var lastFence: UInt64 = 0
    /// The claim can't end by itself before this time, in microseconds.
    var endsFrom: UInt64 = 0

    mutating func free(_ newPhase: Phase) {
        phase = newPhase
        owner = -1
        fence = 0
        endsFrom = 0
    }
}

/// An operation as far as it concerns one job, with names as numbers.
struct ModelStep {
    enum Answer: Equatable {
        case unknown
        case done(JobState?)
        /// nil: the answer did not tell whether it was new.
        case posted(isDuplicate: Bool?)
        case claimed(fence: UInt64)
        case seen(JobState?, owner: Int32, fence: UInt64?)
        case notFound
        case unclaimable
        case notClaimed
        case notOwner
        case staleFence
        case duplicate
    }

    var action: Operation.Action
    var who: Int32
    /// 0 for none.
    var fence: UInt64
    var isDelayed: Bool
    /// A claim made or prolonged by it can't end by itself before this time.
    var endsFrom: UInt64
    var called: UInt64
    var returned: UInt64
    var answer: Answer
    /// Named in a refusal; -1 for nobody.
    var namedOwner: Int32
    /// Its place in the history.
    var source: Int
}

/// The rules of one job's life, for a checker that knows only what clients saw.
///
/// What happens by itself happens lazily here: before each operation the job may have left a claim whose lease can be
/// over, may have ended its wait, and may have been taken by a claim of the next job whose answer nobody heard.
struct JobModel {
    /// Owners in whose name an unanswered claim of the next was made, and since when.
    var ghosts: [(owner: Int32, since: UInt64)]
    /// Complete jobs may have been forgotten: more were consumed than a board remembers.
    var mayForget: Bool

    /// Every job that may be there after the step; empty when the answer fits none of those before.
    func after(_ jobs: [ModelJob], _ step: ModelStep) -> [ModelJob] {
        var found: [ModelJob] = []
        for job in possible(jobs, by: step.returned) {
            for next in apply(step, to: job) where !found.contains(next) { found.append(next) }
        }
        return found
    }

    /// What the jobs may have become by themselves at some moment not after `time`.
    private func possible(_ jobs: [ModelJob], by time: UInt64) -> [ModelJob] {
        var all = jobs
        func add(_ job: ModelJob) {
            if !all.contains(job) { all.append(job) }
        }
        for job in jobs {
            var ready = job
            switch job.phase {
            case .claimed:
                guard time >= job.endsFrom else { continue }
                ready.free(.ready)
                // First there is a pause, and after too many lost claims there is nothing else.
                var other = job
                other.free(.waiting)
                add(other)
                other.free(.trashed)
                add(other)
            case .waiting: ready.phase = .ready
            case .ready: break
            case .absent, .complete, .trashed: continue
            }
            add(ready)
            for ghost in ghosts where ghost.since <= time {
                // Its lease may have ended as well.
                for phase in [ModelJob.Phase.waiting, .trashed] {
                    var lost = ready
                    lost.phase = phase
                    add(lost)
                }
                var taken = ready
                taken.phase = .claimed
                taken.owner = ghost.owner
                add(taken)
            }
        }
        return all
    }

    private func apply(_ step: ModelStep, to job: ModelJob) -> [ModelJob] {
        if step.answer == .notFound {
            return job.phase == .absent || (mayForget && job.phase == .complete) ? [job] : []
        }
        switch step.action {
        case .post: return post(step, job)
        case .claim, .claimNext: return claim(step, job)
        case .extend, .abandon, .consume: return hold(step, job)
        case .owner, .show: return see(step, job)
        }
    }

    private func post(_ step: ModelStep, _ job: ModelJob) -> [ModelJob] {
        let isThere = job.phase != .absent && !(mayForget && job.phase == .complete)
        var new = job
        new.free(step.isDelayed ? .waiting : .ready)
        switch step.answer {
        case .posted(isDuplicate: true), .duplicate: return job.phase != .absent ? [job] : []
        case .posted(isDuplicate: false), .unknown: return isThere ? [] : [new]
        case .posted(isDuplicate: nil): return isThere ? [job] : [new]
        default: return []
        }
    }

    private func claim(_ step: ModelStep, _ job: ModelJob) -> [ModelJob] {
        switch step.answer {
        case .claimed(let fence):
            guard job.phase == .ready, fence > job.lastFence else { return [] }
            return [taken(job, step, fence: fence)]
        case .unknown:
            return job.phase == .ready ? [taken(job, step, fence: 0)] : []
        case .unclaimable:
            if step.namedOwner >= 0 { return job.phase == .claimed && job.owner == step.namedOwner ? [job] : [] }
            return job.phase == .absent || job.phase == .ready ? [] : [job]
        default: return []
        }
    }

    private func taken(_ job: ModelJob, _ step: ModelStep, fence: UInt64) -> ModelJob {
        var taken = job
        taken.phase = .claimed
        taken.owner = step.who
        taken.fence = fence
        taken.lastFence = max(job.lastFence, fence)
        taken.endsFrom = step.endsFrom
        return taken
    }

    private func hold(_ step: ModelStep, _ job: ModelJob) -> [ModelJob] {
        switch step.answer {
        case .notClaimed: return job.phase == .absent || job.phase == .claimed ? [] : [job]
        case .notOwner:
            let fits = job.phase == .claimed && job.owner != step.who && (step.namedOwner < 0 || job.owner == step.namedOwner)
            return fits ? [job] : []
        case .staleFence:
            return job.phase == .claimed && job.owner == step.who && (job.fence == 0 || job.fence != step.fence) ? [job] : []
        case .done, .unknown: break
        default: return []
        }
        guard job.phase == .claimed, job.owner == step.who else { return [] }
        if step.fence != 0, job.fence != step.fence, job.fence != 0 || step.fence <= job.lastFence { return [] }
        var next = job
        if step.fence != 0 {
            next.fence = step.fence
            next.lastFence = max(job.lastFence, step.fence)
        }
        switch step.action {
        case .extend:
            next.endsFrom = step.endsFrom
            return [next]
        case .consume:
            next.free(.complete)
            return [next]
        default:
            return abandoned(step, next)
        }
    }

    private func abandoned(_ step: ModelStep, _ job: ModelJob) -> [ModelJob] {
        var (back, trashed) = (job, job)
        back.free(step.isDelayed ? .waiting : .ready)
        trashed.free(.trashed)
        switch step.answer {
        case .done(.unclaimed): return [back]
        case .done(.trashed): return [trashed]
        // Only a failure can end in the trash, and a failure always brings a delay.
        case .done(nil), .unknown: return step.isDelayed ? [back, trashed] : [back]
        default: return []
        }
    }

    private func see(_ step: ModelStep, _ job: ModelJob) -> [ModelJob] {
        guard case .seen(let state, let owner, let fence) = step.answer, job.phase != .absent else { return [] }
        guard (job.phase == .claimed ? job.owner : -1) == owner else { return [] }
        switch state {
        case nil: break
        case .unclaimed: guard job.phase == .ready || job.phase == .waiting else { return [] }
        case .claimed: guard job.phase == .claimed else { return [] }
        case .complete: guard job.phase == .complete else { return [] }
        case .trashed: guard job.phase == .trashed else { return [] }
        }
        guard let fence, job.phase == .claimed else { return [job] }
        if job.fence == fence { return [job] }
        guard job.fence == 0, fence > job.lastFence else { return [] }
        var known = job
        known.fence = fence
        known.lastFence = fence
        return [known]
    }
}
